import type { ChatBody, JsonObject } from '../../../../src/common/index';
import { SandboxAdapter } from '../../../../src/providers/adapters/sandbox/sandbox.adapter';
import type { ChatCall, ChatChunk, ProviderError } from '../../../../src/providers/index';
import { catalogModel } from '../../../support/contract/catalog-model';

type Overrides = Partial<Omit<ChatCall, 'body'>> & { readonly modelId?: string };

export function sandboxCall(body: Partial<ChatBody>, overrides: Overrides = {}): ChatCall {
  const { modelId = 'small', ...rest } = overrides;
  return {
    model: catalogModel({ provider: 'sandbox', upstreamId: modelId }),
    body: { model: modelId, messages: [], ...body },
    signal: new AbortController().signal,
    requestId: 'req_1',
    ...rest,
  };
}

export const says = (content: string): Partial<ChatBody> => ({ messages: [{ role: 'user', content }] });

export async function chat(body: Partial<ChatBody>, overrides: Overrides = {}) {
  const result = await new SandboxAdapter().chat(sandboxCall(body, overrides));
  const choices = result.body.choices as readonly { message: JsonObject; finish_reason: string }[];
  return { ...result, choices, text: (choices[0]?.message.content ?? '') as string };
}

export async function streamed(body: Partial<ChatBody>, overrides: Overrides = {}) {
  const stream = await new SandboxAdapter().chatStream(sandboxCall(body, overrides));
  const chunks: ChatChunk[] = [];
  let error: ProviderError | undefined;
  try {
    for await (const chunk of stream.chunks) chunks.push(chunk);
  } catch (thrown) {
    error = thrown as ProviderError;
  }
  return {
    chunks,
    error,
    stream,
    text: chunks.map(({ chunk }) => (deltaOf(chunk).content ?? '') as string).join(''),
  };
}

export function deltaOf(chunk: JsonObject): JsonObject {
  const choices = chunk.choices as readonly { delta: JsonObject }[];
  return choices[0]?.delta ?? {};
}

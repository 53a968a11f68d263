/** Google signs the thoughts behind a tool call and wants the signature back with the call. */
import type { LanguageModelV4Prompt, LanguageModelV4ToolCallPart } from '@ai-sdk/provider';
import { isJsonObject, toolArguments } from '../../../common/index';
import type { ChatCall, KeptThought } from '../../provider.port';
import type { AnswerPart, AnswerWatch } from '../ai-sdk/answer-watch';
import { type KeptThoughts, thoughtKey } from '../ai-sdk/kept-thoughts';

type Own = Pick<ChatCall, 'ownerId' | 'model' | 'recalled'>;
type Call = Pick<LanguageModelV4ToolCallPart, 'toolCallId' | 'toolName' | 'input'>;

export class SignatureWatch implements AnswerWatch {
  readonly #kept: KeptThought[] = [];

  constructor(
    private readonly call: Own,
    private readonly thoughts: KeptThoughts,
  ) {}

  take(part: AnswerPart): void {
    if (part.type !== 'tool-call') return;
    const google = part.providerMetadata?.google;
    const thought = isJsonObject(google) ? google.thoughtSignature : undefined;
    if (typeof thought !== 'string') return;
    const key = signatureKey(this.call.model.upstreamId, { ...part, input: toolArguments(part.input) });
    this.#kept.push({ key, thought });
  }

  async end(): Promise<void> {
    await this.thoughts.keep(this.call.ownerId, this.#kept);
  }
}

/** The signatures of a prompt's tool calls, once for each call. Models that do not think sign nothing. */
export async function signaturesFor(
  prompt: LanguageModelV4Prompt,
  call: Own,
  thoughts: KeptThoughts,
): Promise<readonly KeptThought[]> {
  const { model } = call;
  if (!model.supports.reasoning) return [];
  const keys = prompt.flatMap((message) =>
    message.role === 'assistant'
      ? message.content.flatMap((part) =>
          part.type === 'tool-call' ? [signatureKey(model.upstreamId, part)] : [],
        )
      : [],
  );
  return await thoughts.recall(call, keys);
}

export function signatureKey(modelId: string, { toolCallId, toolName, input }: Call): string {
  return thoughtKey({ modelId, toolCallId, toolName, input });
}

/**
 * What a request of another dialect holds beyond OpenAI's chat dialect, taken out where the model of this attempt would
 * refuse it. A caller of the chat dialect gets what he wrote passed on, so his requests never come here.
 */
import type { CatalogModel } from '../catalog/index';
import type {
  ChatBody,
  ChatMessage,
  ChatRequest,
  ChatTool,
  ContentPart,
  JsonObject,
  ProviderId,
} from '../common/index';

/** Their adapters read what they know and leave the rest. */
const CONVERTING: ReadonlySet<ProviderId> = new Set(['anthropic', 'bedrock', 'google']);
const CACHING: ReadonlySet<ProviderId> = new Set(['anthropic', 'bedrock']);

type Marked<T> = T & { readonly cache_control?: JsonObject };

export interface FittedRequest {
  readonly body: ChatBody;
  readonly messages: readonly ChatMessage[];
  readonly warnings: readonly string[];
}

/** @param messages the conversation as far as it has come. */
export function fittedRequest(
  { body, dialect }: ChatRequest,
  messages: readonly ChatMessage[],
  model: CatalogModel,
): FittedRequest {
  const warnings: string[] = [];
  const { tools, ...rest } = body;
  const hasMarks = messages.some(isMarked) || (tools ?? []).some(hasOwnMark);
  const strips = hasMarks && !CACHING.has(model.provider);
  if (strips) warnings.push(`cache_control: ${model.id} does not take it`);
  const fitted: Record<string, unknown> = {
    ...rest,
    ...(tools && { tools: strips ? tools.map(unmarked) : tools }),
  };
  fitSampling(fitted, model, warnings);
  fitThinking(fitted, { model, dialect, warnings });
  if (dialect === 'messages') warnings.push(...meaningWarnings(body, model));
  return {
    body: fitted as unknown as ChatBody,
    messages: strips ? unmarkedMessages(messages) : messages,
    warnings,
  };
}

function fitSampling(
  body: Record<string, unknown>,
  { id, provider }: CatalogModel,
  warnings: string[],
): void {
  if (body.top_k === undefined || CONVERTING.has(provider)) return;
  delete body.top_k;
  warnings.push(`top_k was left out: ${id} does not take it`);
}

/** An effort of `none` asks a model not to think at all. */
function fitThinking(
  body: Record<string, unknown>,
  {
    model,
    dialect,
    warnings,
  }: { readonly model: CatalogModel; readonly dialect: ChatRequest['dialect']; readonly warnings: string[] },
): void {
  const { reasoning_effort: effort } = body;
  if (effort === undefined) return;
  if (!model.supports.reasoning) {
    delete body.reasoning_effort;
    if (effort !== 'none') warnings.push(`the reasoning effort was left out: ${model.id} does not think`);
  } else if (effort === 'none' && !canBeToldNotToThink(model, dialect)) {
    delete body.reasoning_effort;
    // Anthropic's models think when they are asked to.
    if (model.provider !== 'anthropic') warnings.push(`${model.id} may think although it was told not to`);
  }
}

/** A client of the dialect that has `none` knows which of its models take it. */
function canBeToldNotToThink({ provider }: CatalogModel, dialect: ChatRequest['dialect']): boolean {
  return provider !== 'anthropic' && (CONVERTING.has(provider) || dialect === 'responses');
}

/** What is sent as it is, and does not mean the same everywhere. */
function meaningWarnings(body: ChatBody, { id, provider }: CatalogModel): string[] {
  const warnings: string[] = [];
  if (body.messages.at(-1)?.role === 'assistant' && provider !== 'anthropic') {
    warnings.push(`messages end with an assistant turn, which ${id} may not continue`);
  }
  if (body.response_format?.json_schema?.strict === false && !CONVERTING.has(provider)) {
    warnings.push(
      `output_config.format: the schema has optional or open properties, so ${id} only tries to follow it`,
    );
  }
  return warnings;
}

function hasOwnMark(thing: Marked<JsonObject>): boolean {
  return thing.cache_control !== undefined;
}

function isMarked(message: ChatMessage): boolean {
  return hasOwnMark(message) || (Array.isArray(message.content) && message.content.some(hasOwnMark));
}

function unmarked<T extends ChatMessage | ChatTool | ContentPart>(thing: T): T {
  if (!hasOwnMark(thing)) return thing;
  const { cache_control: _, ...rest } = thing as Marked<T>;
  return rest as unknown as T;
}

/** Instructions that only a mark kept apart become one message again, and a text alone a string. */
function unmarkedMessages(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const result: ChatMessage[] = [];
  let continues = false;
  for (const message of messages) {
    const last = result.at(-1);
    const plain = { ...unmarked(message), ...(message.content && { content: simplest(message.content) }) };
    if (continues && last && message.role === 'system') {
      result[result.length - 1] = { ...last, content: `${textOf(last)}\n\n${textOf(plain)}` };
    } else result.push(plain);
    continues = message.role === 'system' && hasOwnMark(message);
  }
  return result;
}

function textOf({ content }: ChatMessage): string {
  return typeof content === 'string' ? content : '';
}

function simplest(content: string | readonly ContentPart[]): string | readonly ContentPart[] {
  if (typeof content === 'string') return content;
  const parts = content.map(unmarked);
  const [first] = parts;
  return parts.length === 1 && first?.type === 'text' ? (first.text ?? '') : parts;
}

/** What a request's own fields say: needs and sizes. One pass over the messages; nothing here is ever cached. */
import { type ChatBody, type ChatMessage, type ChatRequest, requestedMaxTokens } from '../common/index';
import { Attachments } from './attachments';
import type { RequestNeeds } from './task-profile';

/** A quarter, and a tenth more; in integers, so that 400 bytes are 110 tokens and not 111. */
const ESTIMATE = { tokens: 11, bytes: 40 };
const BOUND_TOKENS_PER_IMAGE = 4_000;
const BOUND_TOKENS_PER_MESSAGE = 8;
/** Providers wrap tool definitions and schemas into instructions of their own (measured: up to 600 tokens). */
const BOUND_TOKENS_OF_STRUCTURE = 1_000;

export interface RequestFacts {
  readonly needs: RequestNeeds;
  readonly promptChars: number;
  readonly messageCount: number;
  readonly imageCount: number;
  readonly hasFiles: boolean;
  readonly toolCount: number;
  readonly estimatedPromptTokens: number;
  readonly estimatedFileTokens: number;
  readonly boundPromptTokens: number;
  readonly requestedMaxTokens?: number;
}

interface Tally {
  chars: number;
  bytes: number;
  readonly attached: Attachments;
  hasToolCalls: boolean;
}

export function requestFacts(request: ChatRequest): RequestFacts {
  const { body, options } = request;
  const tally: Tally = { chars: 0, bytes: 0, attached: new Attachments(), hasToolCalls: false };
  for (const message of body.messages) countMessage(message, tally);
  const { attached } = tally;
  const toolCount = clientToolCount(body) + options.tools.length;
  const needs = requestNeeds(body, toolCount, attached);
  return {
    needs,
    promptChars: tally.chars,
    messageCount: body.messages.length,
    imageCount: attached.counts.image,
    hasFiles: attached.hasFiles,
    toolCount,
    requestedMaxTokens: requestedMaxTokens(body),
    ...tokenCounts(request, tally, needs),
  };
}

function requestNeeds(body: ChatBody, toolCount: number, { counts }: Attachments): RequestNeeds {
  const format = body.response_format?.type;
  return Object.freeze({
    vision: counts.image > 0,
    document: counts.document > 0,
    audio: counts.audio > 0,
    video: counts.video > 0,
    tools: toolCount > 0,
    jsonSchema: format === 'json_schema',
    jsonObject: format === 'json_object',
    streaming: body.stream === true,
  });
}

function tokenCounts(
  { body, bodyBytes: sentBytes }: ChatRequest,
  { attached, bytes, hasToolCalls }: Tally,
  needs: RequestNeeds,
): Pick<RequestFacts, 'estimatedPromptTokens' | 'estimatedFileTokens' | 'boundPromptTokens'> {
  const { counts, dataBytes, estimatedFileTokens, estimatedImageTokens } = attached;
  const bodyBytes = Math.max(sentBytes - dataBytes, bytes);
  const hasStructure = needs.tools || needs.jsonSchema || hasToolCalls;
  const textBytes = hasStructure ? bodyBytes : bytes;
  return {
    estimatedPromptTokens:
      Math.ceil((textBytes * ESTIMATE.tokens) / ESTIMATE.bytes) + estimatedImageTokens + estimatedFileTokens,
    estimatedFileTokens,
    boundPromptTokens:
      bodyBytes +
      body.messages.length * BOUND_TOKENS_PER_MESSAGE +
      (hasStructure ? BOUND_TOKENS_OF_STRUCTURE : 0) +
      counts.image * BOUND_TOKENS_PER_IMAGE,
  };
}

/** `functions` is the older name of `tools`; passed on as it came. */
function clientToolCount(body: ChatBody): number {
  const { functions } = body;
  return (body.tools?.length ?? 0) + (Array.isArray(functions) ? functions.length : 0);
}

function countMessage(message: ChatMessage, tally: Tally): void {
  if ((message.tool_calls?.length ?? 0) > 0) tally.hasToolCalls = true;
  const { content } = message;
  if (typeof content === 'string') {
    countText(content, tally);
  } else if (content) {
    for (const part of content) {
      if (typeof part.text === 'string') countText(part.text, tally);
      tally.attached.addFrom(part);
    }
  }
}

function countText(text: string, tally: Tally): void {
  tally.chars += text.length;
  tally.bytes += Buffer.byteLength(text);
}

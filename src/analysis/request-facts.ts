/** What a request's own fields say: needs and sizes. One pass over the messages; nothing here is ever cached. */
import {
  type ChatBody,
  type ChatMessage,
  type ChatRequest,
  type ContentPart,
  isImagePart,
  isJsonObject,
  requestedMaxTokens,
} from '../common/index';
import type { RequestNeeds } from './task-profile';

/** A quarter, and a tenth more; in integers, so that 400 bytes are 110 tokens and not 111. */
const ESTIMATE = { tokens: 11, bytes: 40 };
const ESTIMATED_TOKENS_PER_IMAGE = 1_000;
const BOUND_TOKENS_PER_IMAGE = 4_000;
const BOUND_TOKENS_PER_MESSAGE = 8;
/** Providers wrap tool definitions and schemas into instructions of their own (measured: up to 600 tokens). */
const BOUND_TOKENS_OF_STRUCTURE = 1_000;

export interface RequestFacts {
  readonly needs: RequestNeeds;
  readonly promptChars: number;
  readonly messageCount: number;
  readonly imageCount: number;
  readonly hasStoredFiles: boolean;
  readonly toolCount: number;
  readonly estimatedPromptTokens: number;
  readonly boundPromptTokens: number;
  readonly requestedMaxTokens?: number;
}

interface Tally {
  chars: number;
  bytes: number;
  images: number;
  hasStoredFiles: boolean;
  dataUrlBytes: number;
  hasToolCalls: boolean;
}

export function requestFacts(request: ChatRequest): RequestFacts {
  const { body, options } = request;
  const tally: Tally = {
    chars: 0,
    bytes: 0,
    images: 0,
    hasStoredFiles: false,
    dataUrlBytes: 0,
    hasToolCalls: false,
  };
  for (const message of body.messages) countMessage(message, tally);
  const toolCount = clientToolCount(body) + options.tools.length;
  const needs = requestNeeds(body, toolCount, tally.images);
  return {
    needs,
    promptChars: tally.chars,
    messageCount: body.messages.length,
    imageCount: tally.images,
    hasStoredFiles: tally.hasStoredFiles,
    toolCount,
    requestedMaxTokens: requestedMaxTokens(body),
    ...tokenCounts(request, tally, needs),
  };
}

function requestNeeds(body: ChatBody, toolCount: number, imageCount: number): RequestNeeds {
  const format = body.response_format?.type;
  return Object.freeze({
    vision: imageCount > 0,
    tools: toolCount > 0,
    jsonSchema: format === 'json_schema',
    jsonObject: format === 'json_object',
    streaming: body.stream === true,
  });
}

function tokenCounts(
  request: ChatRequest,
  tally: Tally,
  needs: RequestNeeds,
): Pick<RequestFacts, 'estimatedPromptTokens' | 'boundPromptTokens'> {
  const bodyBytes = Math.max(request.bodyBytes - tally.dataUrlBytes, tally.bytes);
  const hasStructure = needs.tools || needs.jsonSchema || tally.hasToolCalls;
  const textBytes = hasStructure ? bodyBytes : tally.bytes;
  return {
    estimatedPromptTokens:
      Math.ceil((textBytes * ESTIMATE.tokens) / ESTIMATE.bytes) + tally.images * ESTIMATED_TOKENS_PER_IMAGE,
    boundPromptTokens:
      bodyBytes +
      request.body.messages.length * BOUND_TOKENS_PER_MESSAGE +
      (hasStructure ? BOUND_TOKENS_OF_STRUCTURE : 0) +
      tally.images * BOUND_TOKENS_PER_IMAGE,
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
    for (const part of content) countPart(part, tally);
  }
}

function countPart(part: ContentPart, tally: Tally): void {
  if (typeof part.text === 'string') countText(part.text, tally);
  if (isJsonObject(part.file) && part.file.file_id !== undefined) tally.hasStoredFiles = true;
  if (!isImagePart(part)) return;
  tally.images += 1;
  const url = imageUrl(part);
  if (url.startsWith('data:')) tally.dataUrlBytes += url.length;
}

/** `image_url` is an object in chat completions and a plain string in `input_image` parts. */
function imageUrl(part: ContentPart): string {
  const value: unknown = part.image_url;
  if (typeof value === 'string') return value;
  const url: unknown = part.image_url?.url;
  return typeof url === 'string' ? url : '';
}

function countText(text: string, tally: Tally): void {
  tally.chars += text.length;
  tally.bytes += Buffer.byteLength(text);
}

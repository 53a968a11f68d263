import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../common/index';
import type { AttemptReport, ChatResult, FinishReason } from '../../provider.port';
import { isCompletion } from './shapes';
import { tokenUsage } from './usage';

const REQUEST_ID_HEADERS = ['x-request-id', 'apim-request-id', 'x-ms-request-id', 'request-id'] as const;
const NO_WARNINGS: readonly string[] = Object.freeze([]);

/** The body as a JSON object, or undefined when it is none. */
export function jsonObjectOf(body: Buffer): JsonObject | undefined {
  return parsedObject(body.toString('utf8'));
}

export function parsedObject(json: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** An absent content type is forgiven. */
export function isEventStream(headers: IncomingHttpHeaders): boolean {
  const type = headers['content-type'];
  return type === undefined || type.includes('text/event-stream');
}

/** The result of a parsed `chat.completion`, or undefined when it is none; with an error in it, it is none. */
export function chatResult(
  body: JsonObject,
  rawBody: Buffer,
  headers: IncomingHttpHeaders,
): ChatResult | undefined {
  if (body.error || !isCompletion(body)) return undefined;
  const first: unknown = (body.choices as readonly unknown[])[0];
  const report = attemptReport({
    rawUsage: body.usage,
    rawFinishReason: isJsonObject(first) ? text(first.finish_reason) : undefined,
    modelServed: text(body.model),
    upstreamRequestId: requestIdOf(headers),
  });
  return { report, body, rawBody };
}

export interface SeenFacts {
  readonly rawUsage?: JsonValue;
  readonly rawFinishReason?: string;
  readonly modelServed?: string;
  readonly upstreamRequestId?: string;
}

export function attemptReport(seen: SeenFacts): AttemptReport {
  return {
    usage: tokenUsage(seen.rawUsage),
    rawUsage: seen.rawUsage ?? undefined,
    finishReason: finishReason(seen.rawFinishReason),
    rawFinishReason: seen.rawFinishReason,
    modelServed: seen.modelServed,
    upstreamRequestId: seen.upstreamRequestId,
    warnings: NO_WARNINGS,
  };
}

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
  error: 'error',
};

export function finishReason(raw: string | undefined): FinishReason {
  return (raw !== undefined && FINISH_REASONS[raw]) || 'unknown';
}

export function requestIdOf(headers: IncomingHttpHeaders): string | undefined {
  for (const name of REQUEST_ID_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') return value.slice(0, 200);
  }
  return undefined;
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

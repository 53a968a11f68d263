/** An answer as it is kept: which are, what of them, and the bytes they are kept as. */
import type { AnswerHeaders } from '../observability/index';

export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Refusals that may turn out otherwise next time although the caller changes nothing, and that bought nothing. */
const PASSING_STATUSES = new Set([401, 402, 403, 404, 408, 409, 422, 423, 425, 429, 499]);
/** The same among those with a status of the request's own fault: catalog, password and allowed hosts may change. */
const PASSING_CODES = new Set([
  'MODEL_LACKS_CAPABILITY',
  'URL_NOT_ALLOWED',
  'WRONG_PASSWORD',
  'context_length_exceeded',
]);
const KEPT_HEADER =
  /^(content-type|content-disposition|cache-control|location|x-accel-buffering|x-should-retry|request-id|x-lattice-.+)$/;
export const REPLAY_HEADER = 'x-lattice-idempotent-replay';
/** Anthropic's clients look for it; a replay has it too, with an id of its own. */
export const ANTHROPIC_ID_HEADER = 'request-id';
const ORIGINAL_HEADER = 'x-lattice-original-request-id';
const REQUEST_ID_HEADER = 'x-lattice-request-id';
const HEAD_LENGTH_BYTES = 4;

/** On public routes anybody can make the service keep something, so only what succeeded is. */
export function isKept({ status, body }: StoredAnswer, isPublic: boolean): boolean {
  if (status >= 200 && status < 300) return true;
  if (isPublic || status < 400 || status >= 500 || PASSING_STATUSES.has(status)) return false;
  return !PASSING_CODES.has(errorCode(body) ?? '');
}

function errorCode(body: Buffer): string | undefined {
  try {
    return (JSON.parse(body.toString()) as { error?: { code?: string } } | null)?.error?.code;
  } catch {
    return undefined;
  }
}

/** What goes with the answer when it is given again; the rest (date, limits, request ids) is each answer's own. */
export function keptHeaders(headers: AnswerHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || !KEPT_HEADER.test(name)) continue;
    kept[name === REQUEST_ID_HEADER ? ORIGINAL_HEADER : name] = String(value);
  }
  return kept;
}

/** Four bytes with the length of the head, the head as JSON, the body. */
export function encodeAnswer({ status, headers, body }: StoredAnswer): Buffer {
  const head = Buffer.from(JSON.stringify({ status, headers }));
  const length = Buffer.alloc(HEAD_LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, body]);
}

export function decodeAnswer(bytes: Buffer): StoredAnswer {
  const bodyAt = HEAD_LENGTH_BYTES + bytes.readUInt32BE();
  const head = JSON.parse(bytes.toString('utf8', HEAD_LENGTH_BYTES, bodyAt)) as Omit<StoredAnswer, 'body'>;
  return { ...head, body: bytes.subarray(bodyAt) };
}

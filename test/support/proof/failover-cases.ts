/** Faults at the first of two providers that sell the same model, with what the client sees and what is booked. */
import type { Behaviour, Fault, Script } from '../truth-provider/truth-provider';

/** Of a JSON request and a streamed one alike, or of each. */
export type Either = string | readonly [string, string];

export const ANSWER = 'One two three four five six seven eight.';
const TOO_LONG = {
  error: { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' },
};
export const ALWAYS = { times: 'always' } as const;

export interface FailoverCase {
  readonly name: string;
  /** At the first provider. */
  readonly first: readonly Script[];
  /** At the second one; it answers well when nothing is said. */
  readonly second?: readonly Script[];
  /** Nothing listens at the first provider's port. */
  readonly isDown?: boolean;
  /** What earlier requests have left behind at the first provider: a breaker that is open, or no capacity. */
  readonly earlier?: 'breaker' | 'capacity';
  /** What the client sees; of a JSON request and of a streamed one where they differ. */
  readonly sees: Either;
  /** The lines, in the order of the attempts. */
  readonly booked: Either;
}

const failing = (fault: Fault, more: Behaviour = {}): readonly Script[] => [
  { ...ALWAYS, answer: ANSWER, chunks: 8, fault, ...more },
];
const failingOnce = (fault: Fault): readonly Script[] => [
  { answer: ANSWER, chunks: 8, fault },
  { answer: ANSWER, chunks: 8 },
];

export const FAILOVER_CASES: readonly FailoverCase[] = [
  {
    name: '429 without Retry-After, once',
    first: failingOnce({ kind: 'status', status: 429 }),
    sees: 'whole answer of openai',
    booked: 'openai failed: $0, openai succeeded: as charged',
  },
  {
    name: '429 with Retry-After of 1 s',
    first: failingOnce({ kind: 'status', status: 429, retryAfter: 1 }),
    sees: 'whole answer of openai',
    booked: 'openai failed: $0, openai succeeded: as charged',
  },
  {
    name: '429 with Retry-After of 30 s',
    first: failing({ kind: 'status', status: 429, retryAfter: 30 }),
    sees: 'whole answer of azure',
    booked: 'openai failed: $0, azure succeeded: as charged',
  },
  {
    name: '429 with Retry-After of an hour',
    first: failing({ kind: 'status', status: 429, retryAfter: 3600 }),
    sees: 'whole answer of azure',
    booked: 'openai failed: $0, azure succeeded: as charged',
  },
  {
    name: 'flapping: 503, then well',
    first: failingOnce({ kind: 'status', status: 503 }),
    sees: 'whole answer of openai',
    booked: 'openai failed: $0, openai succeeded: as charged',
  },
  {
    name: '500 every time',
    first: failing({ kind: 'status', status: 500 }),
    sees: 'whole answer of azure',
    booked: 'openai failed: $0 (2×), azure succeeded: as charged',
  },
  {
    name: 'overloaded: 529',
    first: failing({ kind: 'status', status: 529 }),
    sees: 'whole answer of azure',
    booked: 'openai failed: $0 (2×), azure succeeded: as charged',
  },
  {
    name: '401 from one provider',
    first: failing({ kind: 'status', status: 401 }),
    sees: 'whole answer of azure',
    booked: 'openai failed: $0, azure succeeded: as charged',
  },
  {
    name: '404: the model is gone there',
    first: failing({ kind: 'status', status: 404 }),
    sees: 'whole answer of azure',
    booked: 'openai failed: $0, azure succeeded: as charged',
  },
  {
    name: 'connection refused',
    first: [],
    isDown: true,
    sees: 'whole answer of azure',
    booked: 'openai failed: $0 (2×), azure succeeded: as charged',
  },
  {
    name: 'no first byte in time',
    first: failing({ kind: 'stall' }),
    sees: 'whole answer of azure',
    booked: [
      'openai timed_out: upper bound, azure succeeded: as charged',
      'openai timed_out: upper bound (2×), azure succeeded: as charged',
    ],
  },
  {
    name: 'cut before the first byte',
    first: failing({ kind: 'cut' }),
    sees: 'whole answer of azure',
    booked: 'openai truncated: upper bound (2×), azure succeeded: as charged',
  },
  {
    name: 'cut after the first byte',
    first: failing({ kind: 'cut', afterChunks: 3 }),
    sees: ['whole answer of azure', '3 pieces, then error PROVIDER_STREAM_CUT'],
    booked: [
      'openai truncated: upper bound (2×), azure succeeded: as charged',
      'openai truncated: upper bound',
    ],
  },
  {
    name: 'cut in the middle of an event',
    first: failing({ kind: 'cut', afterChunks: 3, midEvent: true }),
    sees: ['whole answer of azure', '3 pieces, then error PROVIDER_STREAM_CUT'],
    booked: [
      'openai truncated: upper bound (2×), azure succeeded: as charged',
      'openai truncated: upper bound',
    ],
  },
  {
    name: 'stalled in the middle',
    first: failing({ kind: 'stall', afterChunks: 3 }),
    sees: ['whole answer of azure', '3 pieces, then error PROVIDER_TIMEOUT'],
    booked: ['openai timed_out: upper bound, azure succeeded: as charged', 'openai timed_out: upper bound'],
  },
  {
    name: 'error event in the middle',
    first: failing({ kind: 'error-frame', afterChunks: 3 }),
    sees: ['whole answer of azure', '3 pieces, then error PROVIDER_OVERLOADED'],
    booked: ['openai failed: upper bound (2×), azure succeeded: as charged', 'openai failed: upper bound'],
  },
  {
    name: 'clean end without a finish',
    first: failing({ kind: 'clean-eof', afterChunks: 3 }),
    sees: ['whole answer of azure', '3 pieces, then error PROVIDER_STREAM_CUT'],
    booked: ['openai failed: upper bound (2×), azure succeeded: as charged', 'openai truncated: upper bound'],
  },
  {
    name: 'malformed line',
    first: failing({ kind: 'malformed', afterChunks: 3 }),
    sees: ['whole answer of azure', 'whole answer of openai'],
    booked: ['openai failed: upper bound (2×), azure succeeded: as charged', 'openai succeeded: as charged'],
  },
  {
    name: 'everything but [DONE]',
    first: failing({ kind: 'no-done' }),
    sees: 'whole answer of openai',
    booked: 'openai succeeded: as charged',
  },
  {
    name: 'empty answer',
    first: failing({ kind: 'empty' }),
    sees: 'whole answer of azure',
    booked: 'openai failed: upper bound (2×), azure succeeded: as charged',
  },
  {
    name: 'wrong content type',
    first: failing({ kind: 'content-type' }),
    sees: 'whole answer of azure',
    booked: 'openai failed: upper bound (2×), azure succeeded: as charged',
  },
  {
    name: '200 with an error body',
    first: failing({ kind: 'error-body' }),
    sees: 'whole answer of azure',
    booked: 'openai failed: upper bound (2×), azure succeeded: as charged',
  },
  {
    name: 'role chunk, then cut',
    first: failing({ kind: 'cut', afterChunks: 0 }),
    sees: 'whole answer of azure',
    booked: 'openai truncated: upper bound (2×), azure succeeded: as charged',
  },
  {
    name: 'azure prompt filter chunk, then stall',
    first: failing(
      { kind: 'stall', afterChunks: 0 },
      { opening: [{ prompt_filter_results: [{ prompt_index: 0 }] }] },
    ),
    sees: 'whole answer of azure',
    booked: [
      'openai timed_out: upper bound, azure succeeded: as charged',
      'openai timed_out: upper bound (2×), azure succeeded: as charged',
    ],
  },
  {
    name: 'stalled behind keep-alives',
    first: failing({ kind: 'stall', afterChunks: 3, keepAliveMs: 50 }),
    sees: ['whole answer of azure', '3 pieces, then error PROVIDER_TIMEOUT'],
    booked: ['openai timed_out: upper bound, azure succeeded: as charged', 'openai timed_out: upper bound'],
  },
  {
    name: 'usage missing',
    first: [{ ...ALWAYS, answer: ANSWER, usage: { report: 'omit' } }],
    sees: 'whole answer of openai',
    booked: 'openai succeeded: estimated',
  },
  {
    name: 'usage missing on the fallback',
    first: failing({ kind: 'status', status: 500 }),
    second: [{ ...ALWAYS, answer: ANSWER, usage: { report: 'omit' } }],
    sees: 'whole answer of azure',
    booked: 'openai failed: $0 (2×), azure succeeded: estimated',
  },
  {
    name: '400: the prompt is too long',
    first: failing({ kind: 'status', status: 400, body: TOO_LONG }),
    sees: 'whole answer of azure',
    booked: 'openai failed: $0, azure succeeded: as charged',
  },
  {
    name: '400: the prompt is too long for every provider',
    first: failing({ kind: 'status', status: 400, body: TOO_LONG }),
    second: failing({ kind: 'status', status: 400, body: TOO_LONG }),
    sees: '400 context_length_exceeded',
    booked: 'openai failed: $0, azure failed: $0',
  },
  {
    name: '400: the request is wrong',
    first: failing({ kind: 'status', status: 400 }),
    sees: '400 PROVIDER_INVALID_REQUEST',
    booked: 'openai failed: $0',
  },
  {
    name: 'all providers down',
    first: failing({ kind: 'status', status: 503 }),
    second: failing({ kind: 'status', status: 503 }),
    sees: '503 ALL_PROVIDERS_FAILED, Retry-After',
    booked: 'openai failed: $0 (2×), azure failed: $0 (4×)',
  },
  {
    name: '401 from every provider',
    first: failing({ kind: 'status', status: 401 }),
    second: failing({ kind: 'status', status: 401 }),
    sees: '503 ALL_PROVIDERS_FAILED, not to be retried',
    booked: 'openai failed: $0, azure failed: $0',
  },
  {
    name: 'circuit breaker open',
    first: [],
    earlier: 'breaker',
    sees: 'whole answer of azure',
    booked: 'azure succeeded: as charged',
  },
  {
    name: 'configured capacity used up',
    first: [],
    earlier: 'capacity',
    sees: 'whole answer of azure',
    booked: 'azure succeeded: as charged',
  },
];

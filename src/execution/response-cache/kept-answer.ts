/** An answer as it lies in memory: its bytes in one piece, so that what it weighs is known. */
import type { TokenUsage } from '../../common/index';

/** What is kept beside the bytes. */
export interface AnswerFacts {
  /** The model that gave it. */
  readonly modelId: string;
  readonly usage: TokenUsage;
  /** What the model could not be asked for; it holds for whoever gets the answer. */
  readonly warnings: readonly string[];
}

export interface KeptAnswer extends AnswerFacts {
  readonly bytes: Buffer;
  /** Where each piece of a stream ends; undefined for an answer that came whole. */
  readonly ends?: readonly number[];
  /** Milliseconds since the epoch. */
  readonly keptAtMs: number;
}

/** An answer that is larger is not kept. */
export const MAX_ANSWER_BYTES = 1_048_576;

const ENTRY_BYTES = 1024;
const BYTES_PER_END = 8;

/** What an entry takes, in bytes; on the safe side. */
export function weightOf({ bytes, ends = [], warnings }: KeptAnswer): number {
  const notes = warnings.reduce((sum, warning) => sum + 2 * warning.length, 0);
  return ENTRY_BYTES + bytes.length + ends.length * BYTES_PER_END + notes;
}

/** @returns undefined when it is too large to be kept. */
export function keptWhole(facts: AnswerFacts, answer: Buffer | string): KeptAnswer | undefined {
  const size = typeof answer === 'string' ? Buffer.byteLength(answer) : answer.length;
  if (size > MAX_ANSWER_BYTES) return undefined;
  const bytes = Buffer.allocUnsafeSlow(size);
  if (typeof answer === 'string') bytes.write(answer);
  else answer.copy(bytes);
  return { ...facts, bytes, keptAtMs: Date.now() };
}

/** The same of a text that is made while it is taken: no more of it than can be kept. */
export function keptText(facts: AnswerFacts, pieces: Iterable<string>): KeptAnswer | undefined {
  const taken: string[] = [];
  let size = 0;
  for (const piece of pieces) {
    size += Buffer.byteLength(piece);
    if (size > MAX_ANSWER_BYTES) return undefined;
    taken.push(piece);
  }
  return keptWhole(facts, taken.join(''));
}

/** @param pieces within MAX_ANSWER_BYTES together. */
export function keptPieces(facts: AnswerFacts, pieces: readonly string[]): KeptAnswer {
  const bytes = Buffer.allocUnsafeSlow(pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0));
  const ends: number[] = [];
  let end = 0;
  for (const piece of pieces) {
    end += bytes.write(piece, end);
    ends.push(end);
  }
  return { ...facts, bytes, ends, keptAtMs: Date.now() };
}

export function* piecesOf({ bytes, ends = [] }: KeptAnswer): Generator<string> {
  let start = 0;
  for (const end of ends) {
    yield bytes.toString('utf8', start, end);
    start = end;
  }
}

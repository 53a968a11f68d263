import { readFileSync } from 'node:fs';

export type AttemptOutcome =
  /** The whole answer was sent. */
  | 'completed'
  /** The client hung up first. */
  | 'client_closed'
  /** The provider destroyed the connection, as scripted. */
  | 'cut'
  /** The provider ended the answer cleanly but too early, or with an error frame. */
  | 'truncated'
  /** An error instead of an answer; nothing is charged. */
  | 'rejected'
  /** No end was logged: still running, or the provider was killed. */
  | 'open';

/** One upstream attempt as the provider saw it. */
export interface Attempt {
  readonly id: string;
  /** Epoch milliseconds of the arrival. */
  readonly at: number;
  readonly requestId?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of chats: as it was called. */
  readonly path?: string;
  readonly model: string;
  readonly isStream: boolean;
  readonly bodySha256: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** What the provider charges for the prompt. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  /** Completion tokens that were really sent, so what the provider charges for the completion. */
  readonly completionTokens: number;
  readonly sentBytes: number;
  readonly sentChunks: number;
  /** The usage object it reported, if it did. */
  readonly reportedUsage?: Readonly<Record<string, unknown>>;
  readonly outcome: AttemptOutcome;
  /** Epoch milliseconds of its end; absent while it is open. */
  readonly endedAt?: number;
}

type Entry =
  | ({ readonly type: 'attempt' } & Omit<
      Attempt,
      'completionTokens' | 'sentBytes' | 'sentChunks' | 'outcome' | 'endedAt' | 'reportedUsage'
    >)
  | {
      readonly type: 'sent';
      readonly id: string;
      readonly bytes: number;
      readonly tokens: number;
      readonly usage?: Readonly<Record<string, unknown>>;
    }
  | { readonly type: 'end'; readonly id: string; readonly at: number; readonly outcome: AttemptOutcome };

/** Reads the log of a provider, also while it runs or after it was killed. Attempts stand in the order of arrival. */
export function readAttempts(logFile: string): readonly Attempt[] {
  const attempts = new Map<string, Attempt>();
  for (const entry of entriesOf(readFileSync(logFile, 'utf8'))) {
    const attempt = attempts.get(entry.id);
    attempts.set(entry.id, entry.type === 'attempt' ? arrived(entry) : advance(attempt, entry));
  }
  return [...attempts.values()];
}

/** The provider's own bill. */
export function totalsOf(attempts: readonly Attempt[]): { promptTokens: number; completionTokens: number } {
  return {
    promptTokens: attempts.reduce((sum, attempt) => sum + attempt.promptTokens, 0),
    completionTokens: attempts.reduce((sum, attempt) => sum + attempt.completionTokens, 0),
  };
}

function entriesOf(log: string): readonly Entry[] {
  // A line without its end is one that a kill cut in the middle of the write.
  const lines = log.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Entry);
}

function arrived(entry: Extract<Entry, { type: 'attempt' }>): Attempt {
  return { ...entry, completionTokens: 0, sentBytes: 0, sentChunks: 0, outcome: 'open' };
}

function advance(attempt: Attempt | undefined, entry: Exclude<Entry, { type: 'attempt' }>): Attempt {
  if (!attempt) throw new Error(`The log speaks of attempt ${entry.id} before its arrival`);
  if (entry.type === 'end') return { ...attempt, outcome: entry.outcome, endedAt: entry.at };
  return {
    ...attempt,
    completionTokens: attempt.completionTokens + entry.tokens,
    sentBytes: attempt.sentBytes + entry.bytes,
    sentChunks: attempt.sentChunks + (entry.tokens > 0 ? 1 : 0),
    reportedUsage: entry.usage ?? attempt.reportedUsage,
  };
}

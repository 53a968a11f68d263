import { createHash } from 'node:crypto';

/** A tool call as Google wrote it, or as a client hands it back. */
export interface SignedCall {
  readonly modelId: string;
  readonly toolCallId: string;
  readonly toolName: string;
  /** Parsed. */
  readonly input: unknown;
}

interface Kept {
  readonly signature: string;
  readonly expiresAt: number;
}

export interface ThoughtSignatureLimits {
  readonly ttlMs: number;
  readonly maxChars: number;
  readonly now: () => number;
}

const DEFAULTS: ThoughtSignatureLimits = {
  // As long as a client may take to come back with the results of its tools.
  ttlMs: 24 * 60 * 60 * 1000,
  maxChars: 32 * 1024 * 1024,
  now: () => performance.now(),
};
/** Of an entry beside its signature: the key and the map's own share. */
const ENTRY_CHARS = 128;

/**
 * Google signs the thoughts behind a tool call and wants the signature back with the call; clients of OpenAI's
 * dialect lose it. Kept in memory, oldest use first out. The key is the whole call and not its id alone: an id that
 * two callers share brings nobody another's signature. A restart forgets them all; the library then sends Google's
 * documented stand-in, and the model goes on without those thoughts.
 */
export class ThoughtSignatures {
  readonly #kept = new Map<string, Kept>();
  readonly #limits: ThoughtSignatureLimits;
  #chars = 0;

  constructor(limits: Partial<ThoughtSignatureLimits> = {}) {
    this.#limits = { ...DEFAULTS, ...limits };
  }

  keep(call: SignedCall, signature: string): void {
    const { ttlMs, maxChars, now } = this.#limits;
    const key = keyOf(call);
    this.#remove(key);
    if (signature.length + ENTRY_CHARS > maxChars) return;
    this.#kept.set(key, { signature, expiresAt: now() + ttlMs });
    this.#chars += signature.length + ENTRY_CHARS;
    for (const oldest of this.#kept.keys()) {
      if (this.#chars <= maxChars) break;
      this.#remove(oldest);
    }
  }

  find(call: SignedCall): string | undefined {
    const key = keyOf(call);
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    if (kept.expiresAt <= this.#limits.now()) {
      this.#remove(key);
      return undefined;
    }
    // To the end: used last, out last.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.signature;
  }

  #remove(key: string): void {
    const kept = this.#kept.get(key);
    if (!kept) return;
    this.#kept.delete(key);
    this.#chars -= kept.signature.length + ENTRY_CHARS;
  }
}

function keyOf({ modelId, toolCallId, toolName, input }: SignedCall): string {
  return createHash('sha256')
    .update(JSON.stringify([modelId, toolCallId, toolName, input]))
    .digest('base64');
}

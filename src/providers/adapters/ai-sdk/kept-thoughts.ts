import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ChatCall, KeptThought } from '../../provider.port';

/** A tool call as a provider wrote it, or as a client hands it back. */
export interface ThoughtCall {
  readonly modelId: string;
  readonly toolCallId: string;
  readonly toolName: string;
  /** Parsed. */
  readonly input: unknown;
}

/** Where thoughts outlive the process. Both may fail: a conversation then goes on without them. */
export interface ThoughtStore {
  keep(ownerId: string, thoughts: readonly KeptThought[]): Promise<void>;
  find(ownerId: string, keys: readonly string[]): Promise<readonly KeptThought[]>;
}

export interface ThoughtLimits {
  readonly ttlMs: number;
  readonly maxChars: number;
  readonly maxThoughtChars: number;
}

const DEFAULTS: ThoughtLimits = {
  // As long as a client may take to come back with the results of its tools.
  ttlMs: 24 * 60 * 60 * 1000,
  maxChars: 32 * 1024 * 1024,
  maxThoughtChars: 256 * 1024,
};
/** Of an entry beside its thought: the key and the cache's own share. */
const ENTRY_CHARS = 192;
/** Of one question; the newest calls of a conversation matter most. */
const MAX_KEYS = 256;
/** What the store does not have either. */
const NOTHING = '';

/**
 * What providers sign of the thoughts behind a tool call and want back with it, and what clients of other dialects lose.
 * Kept per owner in memory, least recently used first out, and in the store, where another process finds it. The key is
 * the whole call and not its id alone: an id that was used twice brings no other call's thoughts.
 */
export class KeptThoughts {
  readonly #memory: LRUCache<string, string>;
  readonly #limits: ThoughtLimits;

  constructor(
    private readonly store?: ThoughtStore,
    limits: Partial<ThoughtLimits> = {},
  ) {
    this.#limits = { ...DEFAULTS, ...limits };
    const { ttlMs: ttl, maxChars: maxSize } = this.#limits;
    this.#memory = new LRUCache({
      maxSize,
      ttl,
      ttlResolution: 0,
      sizeCalculation: (thought) => thought.length + ENTRY_CHARS,
    });
  }

  /** Resolves when another process can find them; never rejects. */
  async keep(ownerId: string | undefined, thoughts: readonly KeptThought[]): Promise<void> {
    const { maxThoughtChars } = this.#limits;
    const newest = new Map(thoughts.map((one) => [one.key, one]));
    const kept = [...newest.values()].filter(({ thought }) => thought.length <= maxThoughtChars);
    if (kept.length === 0) return;
    this.#remember(ownerId, kept);
    if (this.store && ownerId !== undefined) await this.store.keep(ownerId, kept).catch(() => undefined);
  }

  /** Thoughts by key. Asks the store only for what is not in memory; never rejects. */
  async find(ownerId: string | undefined, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const known = new Map<string, string>();
    const missing: string[] = [];
    for (const key of keys.slice(-MAX_KEYS)) {
      const thought = this.#memory.get(memoryKey(ownerId, key));
      if (thought === undefined) missing.push(key);
      else if (thought !== NOTHING) known.set(key, thought);
    }
    for (const { key, thought } of await this.#stored(ownerId, missing)) known.set(key, thought);
    return known;
  }

  /** Once for each key that has any, in their order. What the call brings along is all there is for it; never rejects. */
  async recall(
    { ownerId, recalled }: Pick<ChatCall, 'ownerId' | 'recalled'>,
    keys: readonly string[],
  ): Promise<readonly KeptThought[]> {
    const found = recalled ? byKey(recalled) : await this.find(ownerId, keys);
    return keys.flatMap((key) => {
      const thought = found.get(key);
      return thought === undefined ? [] : [{ key, thought }];
    });
  }

  async #stored(ownerId: string | undefined, keys: readonly string[]): Promise<readonly KeptThought[]> {
    if (!this.store || ownerId === undefined || keys.length === 0) return [];
    const found = await this.store.find(ownerId, keys).catch(() => undefined);
    if (!found) return [];
    // A call is shown to a client only when its thoughts are stored, so what is not there now never will be.
    const all = new Map(keys.map((key) => [key, NOTHING]));
    for (const { key, thought } of found) all.set(key, thought);
    this.#remember(
      ownerId,
      [...all].map(([key, thought]) => ({ key, thought })),
    );
    return found;
  }

  #remember(ownerId: string | undefined, thoughts: readonly KeptThought[]): void {
    for (const { key, thought } of thoughts) this.#memory.set(memoryKey(ownerId, key), thought);
  }
}

export function byKey(thoughts: readonly KeptThought[]): ReadonlyMap<string, string> {
  return new Map(thoughts.map(({ key, thought }) => [key, thought]));
}

export function thoughtKey({ modelId, toolCallId, toolName, input }: ThoughtCall): string {
  return createHash('sha256')
    .update(JSON.stringify([modelId, toolCallId, toolName, input]))
    .digest('base64');
}

function memoryKey(ownerId: string | undefined, key: string): string {
  return `${ownerId ?? ''} ${key}`;
}

import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppConfig } from '../../config/index';
import { type KeptAnswer, MAX_ANSWER_BYTES, weightOf } from './kept-answer';

/** Whose entry it is, and which. */
export interface AnswerKey {
  /** UUID of the user. Nobody else ever gets the entry. */
  readonly ownerId: string;
  readonly digest: string;
}

/** An entry may weigh somewhat more than the answer in it. */
const MAX_ENTRY_BYTES = 2 * MAX_ANSWER_BYTES;

/** Answers in the memory of this process, bounded by number, bytes and age; what was not asked for longest goes first. */
@Injectable()
export class ResponseStore {
  private readonly entries?: LRUCache<string, KeptAnswer>;
  private readonly ttlMs: number;
  private sweptAtMs = Date.now();
  private clearings = 0;

  constructor({ vars }: AppConfig) {
    this.ttlMs = vars.RESPONSE_CACHE_TTL_SECONDS * 1000;
    if (vars.RESPONSE_CACHE_MAX_ENTRIES === 0) return;
    this.entries = new LRUCache({
      max: vars.RESPONSE_CACHE_MAX_ENTRIES,
      maxSize: vars.RESPONSE_CACHE_MAX_BYTES,
      maxEntrySize: Math.min(MAX_ENTRY_BYTES, vars.RESPONSE_CACHE_MAX_BYTES),
      sizeCalculation: weightOf,
      ttl: this.ttlMs,
      ttlResolution: 0,
      perf: { now: () => Date.now() },
    });
  }

  get isOn(): boolean {
    return this.entries !== undefined;
  }

  /** Rises whenever something was cleared: work that began before is not kept after. */
  get generation(): number {
    return this.clearings;
  }

  get size(): number {
    return this.entries?.size ?? 0;
  }

  get(key: AnswerKey): KeptAnswer | undefined {
    return this.entries?.get(nameOf(key));
  }

  set(key: AnswerKey, answer: KeptAnswer): void {
    this.sweep();
    this.entries?.set(nameOf(key), answer);
  }

  /** Forgets what an owner has, or everything. */
  clear(ownerId?: string): void {
    this.clearings += 1;
    if (ownerId === undefined) this.entries?.clear();
    for (const name of this.entries?.keys() ?? []) {
      if (name.startsWith(`${ownerId} `)) this.entries?.delete(name);
    }
  }

  /** Old entries are never given, and do not stay in memory for much longer than they live either. */
  private sweep(): void {
    if (Date.now() - this.sweptAtMs < this.ttlMs) return;
    this.sweptAtMs = Date.now();
    this.entries?.purgeStale();
  }
}

function nameOf({ ownerId, digest }: AnswerKey): string {
  return `${ownerId} ${digest}`;
}

import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/index';

const HOUR_MS = 3_600_000;

/** How long and how much; a test may change a value on the injected object. */
@Injectable()
export class IdempotencyOptions {
  /** How long an answer is kept. */
  readonly keepMs: number = 24 * HOUR_MS;
  /** A longer answer is delivered and not kept. */
  readonly maxAnswerBytes: number = 16 * 1024 * 1024;
  /** How long a duplicate waits for the first: as long as a request may take by default. */
  readonly waitMs: number = 600_000;
  /** How often a duplicate looks although nobody woke it. */
  readonly pollMs: number = 1000;
  /** How many duplicates of one owner may wait at once in this process. */
  readonly maxWaiters: number = 50;
  /**
   * For how long after a claim a process is taken to be there that has the secret key it was made with, although this
   * one has not: replacing the secret on all processes should take no longer.
   */
  readonly rolloutMs: number = HOUR_MS;
  /** After how long without a sign of life a process counts as dead, as for its holds. */
  readonly leaseMs: number;

  constructor(config: AppConfig) {
    this.leaseMs = config.vars.HOLD_LEASE_MS;
  }
}

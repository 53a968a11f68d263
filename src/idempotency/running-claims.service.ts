import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { toServiceUnavailable } from '../database/index';
import { AppLogger } from '../observability/index';
import { IdempotencyKeysRepository } from './idempotency-keys.repository';
import { IdempotencyOptions } from './idempotency.options';
import type { KeyedRequest } from './keyed-request';
import type { StoredAnswer } from './stored-answer';

/** A key that this process is answering. */
export interface Claim {
  readonly id: string;
  readonly request: KeyedRequest;
}

const RENEWALS_PER_LEASE = 4;
/** An answer waits this long for PostgreSQL to keep it; then it goes out, and keeping it is tried again behind it. */
const PATIENCE_MS = 2000;
const RETRY_MS = 1000;
const MAX_TRIES = 60;

/** The claims of this process: alive in PostgreSQL for as long as they run, and ended there when they end here. */
@Injectable()
export class RunningClaims implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly running = new Set<string>();
  private timer?: NodeJS.Timeout;
  private isRenewing = false;
  private isClosing = false;

  constructor(
    private readonly keys: IdempotencyKeysRepository,
    private readonly options: IdempotencyOptions,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    const intervalMs = this.options.leaseMs / RENEWALS_PER_LEASE;
    this.timer = setInterval(() => void this.renew(), intervalMs).unref();
  }

  onApplicationShutdown(): void {
    this.isClosing = true;
    clearInterval(this.timer);
  }

  add(claim: Claim): void {
    this.running.add(claim.id);
  }

  /** Keeps the answer, or frees the key when there is none to keep. Resolves then, or when patience ends; never rejects. */
  async end(claim: Claim, answer: StoredAnswer | undefined): Promise<void> {
    const saving = this.save(claim, answer).finally(() => this.running.delete(claim.id));
    const patience = new AbortController();
    await Promise.race([
      saving,
      delay(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
  }

  private async save(claim: Claim, answer: StoredAnswer | undefined): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        if (answer) await this.keys.store(claim.request, claim.id, answer);
        else await this.keys.release(claim.request, claim.id);
        return;
      } catch (error) {
        if (!toServiceUnavailable(error) || tries === MAX_TRIES || this.isClosing) {
          this.logger.error(
            `The answer to an Idempotency-Key could not be kept: ${(error as Error).message}`,
          );
          return;
        }
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  private async renew(): Promise<void> {
    if (this.isRenewing || this.running.size === 0) return;
    this.isRenewing = true;
    try {
      await this.keys.renew([...this.running]);
    } catch (error) {
      if (!toServiceUnavailable(error))
        this.logger.error(`The leases of Idempotency-Keys could not be renewed: ${(error as Error).message}`);
    } finally {
      this.isRenewing = false;
    }
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { within } from '../common/index';
import { toServiceUnavailable } from '../errors/index';
import { AppLogger, BackgroundLoop } from '../observability/index';
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
  private readonly renewals: BackgroundLoop;
  private isClosing = false;

  constructor(
    private readonly keys: IdempotencyKeysRepository,
    { leaseMs }: IdempotencyOptions,
    private readonly logger: AppLogger,
  ) {
    const name = 'renewing the leases of Idempotency-Keys';
    this.renewals = new BackgroundLoop(name, leaseMs / RENEWALS_PER_LEASE, () => this.renew());
  }

  onApplicationBootstrap(): void {
    this.renewals.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.isClosing = true;
    await this.renewals.stop();
  }

  add(claim: Claim): void {
    this.running.add(claim.id);
  }

  /** Keeps the answer, or frees the key when there is none to keep. Resolves then, or when patience ends; never rejects. */
  async end(claim: Claim, answer: StoredAnswer | undefined): Promise<void> {
    const saving = this.save(claim, answer).finally(() => this.running.delete(claim.id));
    await within(PATIENCE_MS, saving);
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
    if (this.running.size > 0) await this.keys.renew([...this.running]);
  }
}

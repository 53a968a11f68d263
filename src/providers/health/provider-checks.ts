import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ProviderId } from '../../common/index';
import { AppError, ProviderUnavailableError } from '../../errors/index';
import { ProviderError, type ProviderFault } from '../provider.errors';
import { ProviderRegistry } from '../provider.registry';
import { monotonicNow } from './monotonic-now';

/** What the list call said. `impossible`: the provider has none that is free. */
export interface ProviderCheck {
  readonly outcome: 'ok' | 'failed' | 'impossible';
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly latencyMs?: number;
  readonly fault?: ProviderFault;
}

const FRESH_MS = 60_000;
const TIMEOUT_MS = 5_000;
const AT_ONCE = 4;
/** Mostly of owners' credentials. */
const MAX_KEPT = 1000;

/** What is checked: a provider with the installation's credential, or with one of an owner's. */
export interface CheckTarget {
  readonly provider: ProviderId;
  readonly own?: { readonly credentialId: string; readonly ownerId: string };
}

/**
 * The active check of a provider: the cheapest call that is never billed, listing the models. It is made only when
 * somebody asks for a provider's health, once a minute at most; whoever asks meanwhile shares it.
 */
@Injectable()
export class ProviderChecks implements OnApplicationShutdown {
  private readonly done = new Map<string, ProviderCheck>();
  private readonly running = new Map<string, Promise<void>>();
  private readonly waiting: (() => void)[] = [];
  private readonly closing = new AbortController();
  private free = AT_ONCE;

  constructor(private readonly registry: ProviderRegistry) {}

  onApplicationShutdown(): void {
    this.closing.abort(new Error('The process is shutting down'));
  }

  /** The last check, however old. */
  last(target: CheckTarget): ProviderCheck | undefined {
    return this.done.get(keyOf(target));
  }

  /** Resolves when the check is at most a minute old; never rejects. */
  async refresh(target: CheckTarget): Promise<void> {
    const last = this.last(target);
    if (last && monotonicNow() - last.at < FRESH_MS) return;
    await (this.running.get(keyOf(target)) ?? this.start(target));
  }

  /** All of a provider. What runs at the moment is not kept. */
  forget(provider: ProviderId): void {
    const isOf = (key: string): boolean => key === provider || key.startsWith(`${provider} `);
    for (const key of this.done.keys()) if (isOf(key)) this.done.delete(key);
    for (const key of this.running.keys()) if (isOf(key)) this.running.delete(key);
  }

  private start(target: CheckTarget): Promise<void> {
    const key = keyOf(target);
    const running: Promise<void> = this.check(target).then((check) => {
      if (this.running.get(key) !== running) return;
      this.running.delete(key);
      this.keep(key, check);
    });
    this.running.set(key, running);
    return running;
  }

  private keep(key: string, check: ProviderCheck): void {
    this.done.delete(key);
    this.done.set(key, check);
    const [oldest] = this.done.keys();
    if (this.done.size > MAX_KEPT && oldest !== undefined) this.done.delete(oldest);
  }

  private async check({ provider, own }: CheckTarget): Promise<ProviderCheck> {
    await this.enter();
    const startedAt = monotonicNow();
    try {
      const adapter = own
        ? (await this.registry.open(provider, { ownerId: own.ownerId })).adapter
        : await this.registry.adapter(provider);
      if (!adapter.listModels) return { outcome: 'impossible', at: startedAt };
      await this.inTime((signal) => adapter.listModels?.(signal));
      const at = monotonicNow();
      return { outcome: 'ok', at, latencyMs: Math.round(at - startedAt) };
    } catch (error) {
      const at = monotonicNow();
      return { outcome: 'failed', at, latencyMs: Math.round(at - startedAt), fault: faultOf(error) };
    } finally {
      this.leave();
    }
  }

  /** Ends in time whether or not the adapter heeds the signal. */
  private async inTime(work: (signal: AbortSignal) => unknown): Promise<void> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const signal = AbortSignal.any([timeout, this.closing.signal]);
    let stop = (): void => undefined;
    const over = new Promise<never>((_, reject) => {
      stop = () => reject(new Error('The check took too long'));
      signal.addEventListener('abort', stop);
    });
    try {
      await Promise.race([work(signal), over]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private async enter(): Promise<void> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.free += 1;
  }
}

function keyOf({ provider, own }: CheckTarget): string {
  return own ? `${provider} ${own.credentialId}` : provider;
}

/** The fault only: the upstream's words stay out of what many may read. */
function faultOf(error: unknown): ProviderFault {
  if (error instanceof ProviderError && error.fault !== 'aborted') return error.fault;
  if (error instanceof ProviderUnavailableError) return 'connect';
  return error instanceof AppError && error.status < 500 ? 'rejected' : 'timeout';
}

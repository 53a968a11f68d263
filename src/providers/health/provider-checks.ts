import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { orAborted, type ProviderId, Turnstile } from '../../common/index';
import { AppError, ProviderUnavailableError } from '../../errors/index';
import { ProviderError, type ProviderFault } from '../provider.errors';
import type { ProviderAdapter } from '../provider.port';
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
/** Of owners' credentials, of which there may be any number; the installation has one check per provider. */
const OWN_AT_ONCE = 4;
const OWN_WAITING = 100;
/** Mostly of owners' credentials. */
const MAX_KEPT = 1000;

/** What is checked: a provider with the installation's credential, or with one of an owner's. */
export interface CheckTarget {
  readonly provider: ProviderId;
  readonly own?: { readonly credentialId: string; readonly ownerId: string };
}

/** One check that is under way or waits for its turn. */
interface Running {
  readonly done: Promise<void>;
  /** Who wants to know. */
  askers: number;
  /** When nobody does any more, one that still waits is given up. */
  readonly unwanted: AbortController;
}

/**
 * The active check of a provider: the cheapest call that is never billed, listing the models. It is made only when
 * somebody asks for a provider's health, once a minute at most; whoever asks meanwhile shares it. The installation's
 * are made all at once, owners' a few at a time.
 */
@Injectable()
export class ProviderChecks implements OnApplicationShutdown {
  private readonly done = new Map<string, ProviderCheck>();
  private readonly running = new Map<string, Running>();
  private readonly turnstile = new Turnstile(OWN_AT_ONCE, OWN_WAITING);
  private readonly closing = new AbortController();

  constructor(private readonly registry: ProviderRegistry) {}

  onApplicationShutdown(): void {
    this.closing.abort(new Error('The process is shutting down'));
  }

  /** The last check, however old. */
  last(target: CheckTarget): ProviderCheck | undefined {
    return this.done.get(keyOf(target));
  }

  /**
   * Resolves when the check is at most a minute old, when there is no room for it, or when the signal fires; never
   * rejects. A check that has begun goes on without its askers.
   */
  async refresh(target: CheckTarget, signal: AbortSignal): Promise<void> {
    const last = this.last(target);
    if (last && monotonicNow() - last.at < FRESH_MS) return;
    const running = this.running.get(keyOf(target)) ?? this.start(target);
    running.askers += 1;
    await orAborted(running.done, signal).catch(() => undefined);
    running.askers -= 1;
    if (running.askers === 0) running.unwanted.abort();
  }

  /** All of a provider. What runs at the moment is not kept. */
  forget(provider: ProviderId): void {
    const isOf = (key: string): boolean => key === provider || key.startsWith(`${provider} `);
    for (const key of this.done.keys()) if (isOf(key)) this.done.delete(key);
    for (const key of this.running.keys()) if (isOf(key)) this.running.delete(key);
  }

  private start(target: CheckTarget): Running {
    const key = keyOf(target);
    const unwanted = new AbortController();
    const done = this.inTurn(target, unwanted.signal).then((check) => {
      if (this.running.get(key) !== running) return;
      this.running.delete(key);
      if (check) this.keep(key, check);
    });
    const running: Running = { done, askers: 0, unwanted };
    this.running.set(key, running);
    return running;
  }

  private inTurn(target: CheckTarget, signal: AbortSignal): Promise<ProviderCheck | undefined> {
    const check = (): Promise<ProviderCheck> => this.check(target);
    return target.own ? this.turnstile.run(check, signal) : check();
  }

  private keep(key: string, check: ProviderCheck): void {
    this.done.delete(key);
    this.done.set(key, check);
    const [oldest] = this.done.keys();
    if (this.done.size > MAX_KEPT && oldest !== undefined) this.done.delete(oldest);
  }

  private async check(target: CheckTarget): Promise<ProviderCheck> {
    const startedAt = monotonicNow();
    try {
      const adapter = await this.adapterOf(target);
      if (!adapter.listModels) return { outcome: 'impossible', at: startedAt };
      const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.closing.signal]);
      // In time whether or not the adapter heeds the signal.
      await orAborted(adapter.listModels(signal), signal);
      const at = monotonicNow();
      return { outcome: 'ok', at, latencyMs: Math.round(at - startedAt) };
    } catch (error) {
      const at = monotonicNow();
      return { outcome: 'failed', at, latencyMs: Math.round(at - startedAt), fault: faultOf(error) };
    }
  }

  private async adapterOf({ provider, own }: CheckTarget): Promise<ProviderAdapter> {
    if (!own) return await this.registry.adapter(provider);
    return (await this.registry.open(provider, { ownerId: own.ownerId })).adapter;
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

import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { ProviderId } from '../../common/index';
import { Notifications } from '../../database/index';
import type { CredentialRef, OwnCredentials } from './credential';
import { type ActiveCredential, CredentialStore } from './credential-store';

/** Where the trigger on the table tells whose credentials have changed. */
const CHANNEL = 'lattice_credentials';
const RETRY_MS = 1000;

/**
 * Who has an active credential for which provider, without the secrets; in memory, so that planning asks nobody. What
 * this process changes holds at once, what another one changes as soon as its notification is here: from then on until
 * it has been read again, calls of this owner wait for it.
 */
@Injectable()
export class CredentialDirectory implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly owners = new Map<string, OwnCredentials>();
  /** Owners whose credentials have changed and were not read since. */
  private readonly stale = new Set<string>();
  private readonly reading = new Map<string, Promise<OwnCredentials | undefined>>();
  private readonly listeners: ((ownerId: string) => void)[] = [];
  /** While everything is being read: who changed meanwhile. Another set for every reading. */
  private overtaken?: Set<string>;
  private retry?: NodeJS.Timeout;
  private isClosed = false;

  constructor(
    private readonly store: CredentialStore,
    private readonly notifications: Notifications,
  ) {}

  onModuleInit(): void {
    this.notifications.on(CHANNEL, (ownerId) => void this.changed(ownerId));
    this.notifications.onReconnect(() => void this.reload().catch(() => this.retryLater()));
  }

  /** By now every change is heard: the notifications, of a global module, are connected first. */
  async onApplicationBootstrap(): Promise<void> {
    await this.reload();
  }

  onApplicationShutdown(): void {
    this.isClosed = true;
    clearTimeout(this.retry);
  }

  get isAny(): boolean {
    return this.owners.size > 0;
  }

  /** As far as it is known; undefined for owners without any. */
  find(ownerId: string): OwnCredentials | undefined {
    return this.owners.get(ownerId);
  }

  /** At once unless it is known to have changed. @throws ServiceUnavailableError when it cannot be read then. */
  current(ownerId: string): OwnCredentials | undefined | Promise<OwnCredentials | undefined> {
    return this.stale.has(ownerId) ? this.read(ownerId) : this.owners.get(ownerId);
  }

  /** Nothing that was known of this owner counts any more. Resolves when it was read again or cannot be; never rejects. */
  async changed(ownerId: string): Promise<void> {
    this.stale.add(ownerId);
    this.overtaken?.add(ownerId);
    this.reading.delete(ownerId);
    await this.read(ownerId).catch(() => this.retryLater());
  }

  /** Calls the handler once other credentials of an owner are known; not for a notification that brings nothing new. */
  onChange(handler: (ownerId: string) => void): void {
    this.listeners.push(handler);
  }

  private read(ownerId: string): Promise<OwnCredentials | undefined> {
    const running = this.reading.get(ownerId);
    if (running) return running;
    const reading = this.store
      .active(ownerId)
      .then((active) => {
        // What was read may be older than the change that came meanwhile.
        if (this.reading.get(ownerId) !== reading) return this.current(ownerId);
        this.stale.delete(ownerId);
        this.set(ownerId, grouped(active).get(ownerId));
        return this.owners.get(ownerId);
      })
      .finally(() => {
        if (this.reading.get(ownerId) === reading) this.reading.delete(ownerId);
      });
    this.reading.set(ownerId, reading);
    return reading;
  }

  private async reload(): Promise<void> {
    const overtaken = (this.overtaken = new Set(this.stale));
    const found = grouped(await this.store.active());
    if (this.overtaken !== overtaken) return;
    this.overtaken = undefined;
    for (const ownerId of new Set([...this.owners.keys(), ...found.keys()])) {
      if (!overtaken.has(ownerId)) this.set(ownerId, found.get(ownerId));
    }
    await Promise.all([...this.stale].map((ownerId) => this.read(ownerId)));
  }

  private set(ownerId: string, own: OwnCredentials | undefined): void {
    if (isSame(this.owners.get(ownerId), own)) return;
    if (own) this.owners.set(ownerId, own);
    else this.owners.delete(ownerId);
    for (const listener of this.listeners) listener(ownerId);
  }

  /** Planning does not wait, so it must not miss for good what could not be read once. */
  private retryLater(): void {
    if (this.isClosed || this.retry) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      void this.reload().catch(() => this.retryLater());
    }, RETRY_MS).unref();
  }
}

function grouped(active: readonly ActiveCredential[]): Map<string, Map<ProviderId, CredentialRef>> {
  const owners = new Map<string, Map<ProviderId, CredentialRef>>();
  for (const { userId, provider, id, version } of active) {
    const own = owners.get(userId) ?? new Map<ProviderId, CredentialRef>();
    owners.set(userId, own.set(provider, { id, version }));
  }
  return owners;
}

function isSame(left: OwnCredentials | undefined, right: OwnCredentials | undefined): boolean {
  if (left?.size !== right?.size) return false;
  for (const [provider, { id, version }] of left ?? []) {
    const other = right?.get(provider);
    if (other?.id !== id || other.version !== version) return false;
  }
  return true;
}

import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ProviderId } from '../../common/index';
import { ServiceUnavailableError } from '../../errors/index';
import { BackgroundTasks } from '../../observability/index';
import type { ProviderAdapter } from '../provider.port';
import type { CredentialRef, OwnCredentials } from './credential';
import { CredentialDirectory } from './credential-directory';
import { CREDENTIAL_PROVIDERS, type CredentialSecret } from './credential-secret';
import { type ActiveCredential, CredentialStore } from './credential-store';
import { CredentialUnreadableError } from './credential.errors';

/** Adapters that are kept; a few KB each, because they have no connections of their own. */
const MAX_ADAPTERS = 1000;
const NOTED_MS = 60_000;
/** A credential that changes with every look is somebody playing. */
const MAX_LOOKS = 5;

/** Makes the adapter for a secret, over the connections of the provider's own adapter. */
export type BuildAdapter = (secret: CredentialSecret) => ProviderAdapter;

/** What became of one version of a credential; without an adapter it cannot be opened. */
interface Opened extends CredentialRef {
  readonly adapter?: ProviderAdapter;
}

/**
 * Adapters that call with the credential of an owner: opened at the first call, kept until the credential changes. They
 * share the connections of the provider's one adapter, so giving one up closes nothing.
 */
@Injectable()
export class OwnerAdapters {
  private readonly opened = new LRUCache<string, Opened>({ max: MAX_ADAPTERS });
  private readonly opening = new Map<string, Promise<Opened | undefined>>();
  private readonly noted = new LRUCache<string, true>({
    max: MAX_ADAPTERS,
    ttl: NOTED_MS,
    ttlResolution: 1000,
  });

  constructor(
    private readonly directory: CredentialDirectory,
    private readonly store: CredentialStore,
    private readonly background: BackgroundTasks,
  ) {
    directory.onChange((ownerId) => this.forget(ownerId));
  }

  /** Has anybody an active credential? */
  get isAny(): boolean {
    return this.directory.isAny;
  }

  /** The owner's active credentials as far as they are known; the same object until they change. */
  credentialsOf(ownerId: string): OwnCredentials | undefined {
    return this.directory.find(ownerId);
  }

  /**
   * The adapter with the owner's own credential; undefined, and at once, for owners that have none for this provider.
   * @throws CredentialUnreadableError (422); ServiceUnavailableError when the database must be asked and is away.
   */
  adapterOf(
    ownerId: string,
    provider: ProviderId,
    build: BuildAdapter,
  ): undefined | Promise<ProviderAdapter | undefined> {
    const own = this.directory.current(ownerId);
    if (own === undefined || (!(own instanceof Promise) && !own.has(provider))) return undefined;
    return this.open(ownerId, provider, build);
  }

  private async open(
    ownerId: string,
    provider: ProviderId,
    build: BuildAdapter,
  ): Promise<ProviderAdapter | undefined> {
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const ref = (await this.directory.current(ownerId))?.get(provider);
      if (!ref) return undefined;
      const credential = { ...ref, userId: ownerId, provider };
      const opened = this.kept(credential) ?? (await this.load(credential, build));
      // What was read meanwhile may have changed since.
      const now = (await this.directory.current(ownerId))?.get(provider);
      if (opened && now?.id === opened.id && now.version === opened.version) {
        return this.used(credential, opened);
      }
    }
    throw new ServiceUnavailableError(
      `Your credential for ${provider} is being changed: send the request again`,
    );
  }

  private kept({ userId, provider, id, version }: ActiveCredential): Opened | undefined {
    const opened = this.opened.get(keyOf(userId, provider));
    return opened?.id === id && opened.version === version ? opened : undefined;
  }

  /** Calls that come at the same time share one look-up. */
  private load(credential: ActiveCredential, build: BuildAdapter): Promise<Opened | undefined> {
    const key = `${credential.id}:${credential.version}`;
    const running = this.opening.get(key);
    if (running) return running;
    const opening = this.read(credential, build).finally(() => this.opening.delete(key));
    this.opening.set(key, opening);
    return opening;
  }

  private async read(credential: ActiveCredential, build: BuildAdapter): Promise<Opened | undefined> {
    const { id, version, userId, provider } = credential;
    const found = await this.store.secret(credential);
    if (found === 'gone') {
      await this.directory.changed(userId);
      return undefined;
    }
    const opened = { id, version, adapter: found.secret && build(found.secret) };
    this.opened.set(keyOf(userId, provider), opened);
    return opened;
  }

  private used(credential: ActiveCredential, { adapter }: Opened): ProviderAdapter {
    const { id, userId, provider } = credential;
    if (!adapter) throw new CredentialUnreadableError(provider, id);
    if (!this.noted.has(id)) {
      this.noted.set(id, true);
      this.background.run('credential-last-used', () => this.note(credential, userId));
    }
    return adapter;
  }

  /** Also finds out, behind the request, about a change that nobody told of. */
  private async note(ref: CredentialRef, ownerId: string): Promise<void> {
    if (!(await this.store.touch(ref))) await this.directory.changed(ownerId);
  }

  private forget(ownerId: string): void {
    for (const provider of CREDENTIAL_PROVIDERS) this.opened.delete(keyOf(ownerId, provider));
  }
}

function keyOf(ownerId: string, provider: ProviderId): string {
  return `${ownerId}/${provider}`;
}

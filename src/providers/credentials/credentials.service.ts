import { Injectable } from '@nestjs/common';
import { noSuch, ownedId } from '../../auth/index';
import { newId, type ProviderId, type RequestContext, type SqlExecutor, toApiId } from '../../common/index';
import { AuditSink, ConflictError } from '../../errors/index';
import { ProviderError } from '../provider.errors';
import { ProviderRegistry } from '../provider.registry';
import { CREDENTIAL, type Credential, type Verification } from './credential';
import { CredentialDirectory } from './credential-directory';
import type { CredentialSecret } from './credential-secret';
import { CredentialUnreadableError } from './credential.errors';
import { type CredentialChange, CredentialsRepository, type NewCredential } from './credentials.repository';

export const MAX_CREDENTIALS_PER_USER = 50;
const VERIFY_LIMIT_MS = 15_000;

/**
 * Credentials of the caller. Administrators see that there are any and can delete them; only the owner sets, changes or
 * tries one. Every change is in the audit log, and holds in this process when it is answered.
 */
@Injectable()
export class CredentialsService {
  constructor(
    private readonly credentials: CredentialsRepository,
    private readonly directory: CredentialDirectory,
    private readonly registry: ProviderRegistry,
    private readonly audit: AuditSink,
  ) {}

  /** @throws ConflictError when there is an active one for the provider, or too many, or no address to send it to */
  async create(ctx: RequestContext, wanted: Omit<NewCredential, 'id'>): Promise<Credential> {
    const { provider, isActive } = wanted;
    this.refuseWithoutAddress(provider);
    const made = await this.credentials.transaction(async (executor) => {
      const { total, active } = await this.credentials.lockOwn(ctx, executor);
      if (total >= MAX_CREDENTIALS_PER_USER) {
        throw new ConflictError(
          `There are ${MAX_CREDENTIALS_PER_USER} credentials already: delete one first.`,
        );
      }
      if (isActive && active.includes(provider)) throw secondActive(provider);
      const credential = await this.credentials.add(ctx, { ...wanted, id: newId() }, executor);
      await this.record(ctx, { action: 'credential.create', after: credential }, executor);
      return credential;
    });
    await this.directory.changed(made.userId);
    return made;
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, apiId: string): Promise<Credential> {
    return (await this.credentials.find(ctx, ownedId(CREDENTIAL, apiId))) ?? missing();
  }

  /**
   * @param secretFor reads the new secret, if any, as the credential's provider takes it
   * @throws NotFoundError, ValidationError, ConflictError
   */
  async update(
    ctx: RequestContext,
    apiId: string,
    wanted: Omit<CredentialChange, 'secret'>,
    secretFor: (provider: ProviderId) => CredentialSecret | undefined,
  ): Promise<Credential> {
    const id = ownedId(CREDENTIAL, apiId);
    const changed = await this.credentials.transaction(async (executor) => {
      const { active } = await this.credentials.lockOwn(ctx, executor);
      const before = await this.own(ctx, id, executor);
      const { provider } = before;
      const change = { ...wanted, secret: secretFor(provider) };
      if (change.isActive && !before.isActive && active.includes(provider)) throw secondActive(provider);
      const after = await this.credentials.change(before, change, executor);
      const isSecretNew = change.secret !== undefined;
      await this.record(ctx, { action: 'credential.update', before, after, isSecretNew }, executor);
      return after;
    });
    await this.directory.changed(changed.userId);
    return changed;
  }

  /** @throws NotFoundError */
  async remove(ctx: RequestContext, apiId: string): Promise<void> {
    const id = ownedId(CREDENTIAL, apiId);
    const gone = await this.credentials.transaction(async (executor) => {
      const before = (await this.credentials.find(ctx, id, executor)) ?? missing();
      await this.credentials.remove(ctx, id, executor);
      await this.record(ctx, { action: 'credential.delete', before }, executor);
      return before;
    });
    await this.directory.changed(gone.userId);
  }

  /**
   * Asks the provider for its models with the credential: a call that costs nothing.
   * @throws NotFoundError, CredentialUnreadableError, ConflictError, ProviderUnavailableError (package missing)
   */
  async verify(ctx: RequestContext, apiId: string): Promise<Verification> {
    const { id, provider } = await this.own(ctx, ownedId(CREDENTIAL, apiId));
    this.refuseWithoutAddress(provider);
    const secret = await this.credentials.secretOf(ctx, id);
    if (!secret) throw new CredentialUnreadableError(provider, id);
    const adapter = this.registry.adapterWith(provider, secret);
    if (!adapter.listModels) {
      throw new ConflictError(`${provider} offers no call without cost, so nothing can be tried.`);
    }
    try {
      await adapter.listModels(AbortSignal.any([ctx.signal, AbortSignal.timeout(VERIFY_LIMIT_MS)]));
      return 'ok';
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      return error.fault === 'rejected' ? 'refused' : 'unreachable';
    }
  }

  /** Administrators too reach but their own here. */
  private async own(ctx: RequestContext, id: string, executor?: SqlExecutor): Promise<Credential> {
    const found = await this.credentials.find(ctx, id, executor);
    return found?.userId === ctx.principal.userId ? found : missing();
  }

  private refuseWithoutAddress(provider: ProviderId): void {
    if (this.registry.takesOwnCredential(provider)) return;
    throw new ConflictError(
      `This installation has no address for ${provider}, so a credential could not be used: an administrator sets it.`,
      { param: 'provider' },
    );
  }

  private async record(
    ctx: RequestContext,
    act: { action: string; before?: Credential; after?: Credential; isSecretNew?: boolean },
    executor: SqlExecutor,
  ): Promise<void> {
    const { action, before, after, isSecretNew } = act;
    const of = after ?? before;
    await this.audit.record(
      ctx,
      {
        action,
        resourceId: of ? toApiId('crd', of.id) : null,
        before: before && audited(before),
        after: after && { ...audited(after), isSecretNew },
      },
      executor,
    );
  }
}

/** Nothing of the secret, its hint neither. */
function audited({ userId, provider, name, isActive }: Credential): Record<string, unknown> {
  return { userId: toApiId('usr', userId), provider, name, isActive };
}

function secondActive(provider: ProviderId): ConflictError {
  return new ConflictError(
    `You have an active credential for ${provider} already: change that one, or switch it off (isActive) first.`,
    { param: 'provider' },
  );
}

function missing(): never {
  throw noSuch(CREDENTIAL);
}

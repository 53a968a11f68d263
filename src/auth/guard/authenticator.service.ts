import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/index';
import { toServiceUnavailable } from '../../errors/index';
import { ApiKeysRepository } from '../keys/api-keys.repository';
import { JwtStrategy } from '../credentials/jwt.strategy';
import { ScopedTokenService } from '../credentials/scoped-token.service';
import { digestOf, isApiKey } from '../credentials/secret-token';
import { KeyActivity } from '../keys/key-activity';
import type { EventToken } from './credential-header';
import { mayStill, type Permission } from './permissions';
import { type Authenticated, PrincipalCache } from './principal-cache';
import { UsersRepository } from '../accounts/users.repository';

/** Whose credential it was. */
type Origin = Pick<Principal, 'userId' | 'keyId' | 'keyGeneration' | 'tokenId' | 'sessionId'>;

/** Longer than any credential that we hand out. */
const MAX_CREDENTIAL_LENGTH = 2048;

/**
 * Tells who stands behind a credential: an API key (`llk_…`) or an access token. Undefined means that the credential
 * is not valid. A database that is away never looks like that: its failure is thrown as it is, and answered with 503.
 */
@Injectable()
export class Authenticator {
  constructor(
    private readonly keys: ApiKeysRepository,
    private readonly users: UsersRepository,
    private readonly tokens: JwtStrategy,
    private readonly scopedTokens: ScopedTokenService,
    private readonly cache: PrincipalCache,
    private readonly activity: KeyActivity,
  ) {}

  /** Asks the database: a revoked key or a disabled user is refused at once. */
  async authenticate(credential: string): Promise<Principal | undefined> {
    if (credential.length > MAX_CREDENTIAL_LENGTH) return undefined;
    return this.noteUse((await this.lookUp(credential, digestOf(credential)))?.principal);
  }

  /** For metered routes: may be up to 10 s old, because the ledger's admission asks the database once more. */
  authenticateCached(credential: string): Principal | undefined | Promise<Principal | undefined> {
    if (credential.length > MAX_CREDENTIAL_LENGTH) return undefined;
    const digest = digestOf(credential);
    const found = this.cache.resolve(digest, () => this.lookUp(credential, digest));
    return found instanceof Promise
      ? found.then(
          (principal) => this.noteUse(principal),
          (error: unknown) => this.recall(digest, error),
        )
      : this.noteUse(found);
  }

  /** The principal of a credential that a metered route has asked for a few seconds ago; never asks the database. */
  cached(credential: string): Principal | undefined {
    if (credential.length > MAX_CREDENTIAL_LENGTH) return undefined;
    return this.noteUse(this.cache.peek(digestOf(credential)));
  }

  /** A token of one event stream: the principal whose credential asked for it, as role and state are now. */
  async authenticateEventToken({ token, resource }: EventToken): Promise<Principal | undefined> {
    if (token.length > MAX_CREDENTIAL_LENGTH) return undefined;
    const origin = await this.scopedTokens.verify(token, resource);
    return origin && (await this.ofOrigin(origin));
  }

  /**
   * Who was let in a while ago, as they are now; undefined when they would not be let in any more: user, key (or the
   * secret of it that was sent), session or token has ended, or role or scopes do not give the permission any more.
   */
  async recheck(principal: Principal, permission: Permission): Promise<Principal | undefined> {
    const found = await this.ofOrigin(principal);
    return found && mayStill(found, permission) ? found : undefined;
  }

  /**
   * For whom work goes on that a request has begun, as they are now: logging out does not end it. Undefined: the user, or
   * the key it was begun with, may nothing any more.
   */
  async actingFor({ userId, keyId }: Pick<Principal, 'userId' | 'keyId'>): Promise<Principal | undefined> {
    if (keyId !== undefined) return await this.ofOrigin({ userId, keyId });
    const user = await this.users.findActive(userId);
    return user && Object.freeze({ userId, role: user.role });
  }

  /** With the database away, whoever was confirmed a short while ago may still spend the degraded float. */
  private recall(digest: string, error: unknown): Principal {
    const principal = toServiceUnavailable(error) && this.cache.recall(digest);
    if (!principal) throw error;
    return principal;
  }

  private async lookUp(credential: string, digest: string): Promise<Authenticated | undefined> {
    return isApiKey(credential) ? this.keys.findActive(digest) : this.ofToken(credential);
  }

  private async ofToken(token: string): Promise<Authenticated | undefined> {
    const claims = await this.tokens.verify(token);
    const user = claims && (await this.users.findActive(claims.userId, claims));
    if (!user) return undefined;
    const { tokenId, sessionId } = claims;
    const principal = Object.freeze({ userId: user.id, role: user.role, tokenId, sessionId });
    return { principal, expiresAtMs: claims.expiresAtMs };
  }

  private async ofOrigin(origin: Origin): Promise<Principal | undefined> {
    const { userId, keyId, tokenId, sessionId } = origin;
    if (keyId !== undefined) {
      const key = await this.keys.findActiveById(keyId, origin.keyGeneration);
      return key?.principal.userId === userId ? key.principal : undefined;
    }
    if (tokenId === undefined || sessionId === undefined) return undefined;
    const user = await this.users.findActive(userId, { tokenId, sessionId });
    return user && Object.freeze({ userId, role: user.role, tokenId, sessionId });
  }

  private noteUse(principal: Principal | undefined): Principal | undefined {
    if (principal?.keyId !== undefined) this.activity.touch(principal.keyId);
    return principal;
  }
}

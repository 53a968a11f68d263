import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { toApiId } from '../../common/index';
import { AppConfig } from '../../config/index';
import { AuditSink, RateLimitedError } from '../../errors/index';
import { AppLogger } from '../../observability/index';
import { type Announce, Revocations } from '../credentials/revocations';
import { derivedToken, digestOf, isRefreshToken, REFRESH_TOKEN_PREFIX } from '../credentials/secret-token';
import {
  EXCHANGES_PER_MINUTE,
  LoginSessionsRepository,
  type NewRefreshToken,
  type RefreshTokenState,
} from './login-sessions.repository';
import { contextOf, type VisitorContext } from './visitor';

const DAY_MS = 86_400_000;
const SUCCESSOR_PURPOSE = 'refresh-token/v1';
/** For so long a used refresh token gives what follows it once more: answers get lost, and browsers have several tabs. */
const GRACE_MS = 10_000;

export interface Exchanged {
  readonly userId: string;
  readonly sessionId: string;
  readonly refreshToken: string;
}

interface Outcome {
  readonly exchanged?: Exchanged;
  /** The token was used before, too long ago. */
  readonly reused?: RefreshTokenState;
}

/**
 * Exchanges a refresh token for its successor. The successor is derived from the token it follows, so that every node
 * gives the same one and none is stored.
 */
@Injectable()
export class TokenExchange {
  private readonly lifetimeMs: number;

  constructor(
    private readonly config: AppConfig,
    private readonly sessions: LoginSessionsRepository,
    private readonly revocations: Revocations,
    private readonly logger: AppLogger,
    private readonly audit: AuditSink,
  ) {
    this.lifetimeMs = config.vars.REFRESH_TOKEN_EXPIRY_DAYS * DAY_MS;
  }

  /** As it is stored. */
  stored(refreshToken: string): NewRefreshToken {
    return { tokenHash: digestOf(refreshToken), lifetimeMs: this.lifetimeMs };
  }

  /**
   * Within 10 s of its use a token gives the newest token that follows it; after that its use ends the whole session.
   * Undefined when the token is unknown, used or expired.
   * @throws RateLimitedError when the session had as many exchanges in this minute as it may have.
   */
  async exchange(visitor: VisitorContext, token: string): Promise<Exchanged | undefined> {
    if (!isRefreshToken(token)) return undefined;
    const { exchanged, reused } = await this.revocations.transaction<Outcome>(async (manager, announce) => {
      const state = await this.sessions.lock(manager, digestOf(token));
      if (!state?.isValid) return {};
      const { userId, sessionId, usedMsAgo } = state;
      if (usedMsAgo !== null && usedMsAgo > GRACE_MS) {
        await this.revokeReused(visitor, state, manager, announce);
        return { reused: state };
      }
      const refreshToken =
        usedMsAgo === null
          ? await this.successor(manager, state, token)
          : await this.newestAfter(manager, sessionId, token);
      return refreshToken === undefined ? {} : { exchanged: { userId, sessionId, refreshToken } };
    });
    if (reused) this.report(reused);
    return exchanged;
  }

  private async successor(manager: EntityManager, state: RefreshTokenState, token: string): Promise<string> {
    if (state.fullForMs > 0) {
      throw new RateLimitedError(
        `A session may be refreshed ${EXCHANGES_PER_MINUTE} times a minute. Use the access token until it expires.`,
        {
          retryAfterMs: state.fullForMs,
          details: { limit: 'exchanges_per_minute', scope: 'session', value: EXCHANGES_PER_MINUTE },
        },
      );
    }
    const [refreshToken = ''] = this.successorsOf(token);
    await this.sessions.exchange(manager, state, digestOf(token), this.stored(refreshToken));
    return refreshToken;
  }

  /** The end of the chain that begins with a used token: another tab may have gone further already. */
  private async newestAfter(
    manager: EntityManager,
    sessionId: string,
    token: string,
  ): Promise<string | undefined> {
    let current = token;
    for (;;) {
      const successors = new Map(this.successorsOf(current).map((text) => [digestOf(text), text]));
      const found = await this.sessions.findInSession(manager, sessionId, [...successors.keys()]);
      const next = found && successors.get(found.tokenHash);
      if (!next || (found.usedMsAgo ?? 0) > GRACE_MS) return undefined;
      if (found.usedMsAgo === null) return next;
      current = next;
    }
  }

  private async revokeReused(
    visitor: VisitorContext,
    { userId, sessionId, role }: RefreshTokenState,
    manager: EntityManager,
    announce: Announce,
  ): Promise<void> {
    await this.sessions.revoke(manager, userId, sessionId);
    const entry = { action: 'session.revoke_reused', resourceId: toApiId('ses', sessionId) };
    await this.audit.record(contextOf(visitor, { userId, role, sessionId }), entry, manager);
    await announce({ sessionId });
  }

  private report({ userId, sessionId }: RefreshTokenState): void {
    this.logger.event('security', {
      reason: 'A used refresh token was offered again: its session is revoked',
      userId,
      sessionId,
    });
  }

  /** By the current secret first; by those before it, because the token may have been exchanged under one of them. */
  private successorsOf(token: string): readonly string[] {
    return this.config.keys
      .all(SUCCESSOR_PURPOSE)
      .map(({ key }) => derivedToken(REFRESH_TOKEN_PREFIX, key, token));
  }
}

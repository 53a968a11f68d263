import { Injectable } from '@nestjs/common';
import { Authenticator, checkAccess, type Need, needOf } from '../auth/index';
import { newId, newTraceId, type RequestContext, type WorkScope } from '../common/index';
import { ForbiddenError } from '../errors/index';

/** For whom durable work is done, as it stands in the input of a run: the owner, by the key that began it. UUIDs. */
export type WorkActor = {
  readonly userId: string;
  readonly keyId?: string;
};

/** One metered call of durable work. */
export interface WorkCall {
  readonly work: WorkScope;
  /** The same however often the step is begun. */
  readonly stepKey: string;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadlineAt?: number;
}

/** The step is what is repeated, later and without holding a slot. */
const ONE_TRY = Object.freeze({ maxTries: 1, baseDelayMs: 0, maxDelayMs: 0 });
const INFERENCE: Need = needOf({ routeClass: 'metered', method: 'POST', path: '/' });

/**
 * The context of what is done without a request: THE place where durable work becomes somebody's. Whoever lost the right
 * meanwhile (disabled, key revoked or expired, role or scopes changed) gets no further call.
 */
@Injectable()
export class WorkContexts {
  constructor(private readonly authenticator: Authenticator) {}

  /** @throws ForbiddenError when the actor may make no calls any more; ServiceUnavailableError */
  async open(actor: WorkActor, { work, stepKey, signal, deadlineAt }: WorkCall): Promise<RequestContext> {
    const found = await this.authenticator.actingFor(actor);
    if (!found) throw new ForbiddenError('The user, or the API key that began this, is not active any more');
    checkAccess(INFERENCE, found);
    // Steps keep their answers themselves, and a cached one would never be kept.
    const principal = Object.freeze({ ...found, usesCache: undefined });
    const ids = { requestId: newId(), traceId: newTraceId() };
    return Object.freeze({ ...ids, principal, signal, work, deadlineAt, retry: ONE_TRY, stepKey });
  }

  /** Who shall act for a project of this owner: with the caller's key, when it is the owner's. @throws ForbiddenError */
  actorFor({ principal }: RequestContext, ownerId: string): WorkActor {
    checkAccess(INFERENCE, principal);
    const { userId, keyId } = principal;
    return userId === ownerId && keyId !== undefined ? { userId, keyId } : { userId: ownerId };
  }
}

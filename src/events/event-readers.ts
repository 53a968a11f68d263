import { Injectable } from '@nestjs/common';
import { Authenticator, type Permission } from '../auth/index';
import type { Principal, RequestContext } from '../common/index';
import { ForbiddenError, UnauthenticatedError } from '../errors/index';
import { type EventFilter, EventResources } from './event-resources';

/** What the route of the stream asks for. */
const NEEDED: Permission = 'events:read';

/** Who reads which events of what. */
export interface EventReading {
  readonly ctx: RequestContext;
  readonly resource: string;
  readonly filter: EventFilter;
}

/** What one round of checks has found out: many streams have the same reader, or the same resource. */
export class KnownReaders {
  readonly principals = new Map<string, Promise<Principal | undefined>>();
  readonly filters = new Map<string, Promise<EventFilter>>();
}

/** Who may read which events, now and still. */
@Injectable()
export class EventReaders {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly resources: EventResources,
  ) {}

  /** @throws NotFoundError when the resource is missing or somebody else's */
  filterFor(principal: Principal, resource: string): Promise<EventFilter> {
    return this.resources.filterFor(principal, resource);
  }

  /** @throws UnauthenticatedError, ForbiddenError, NotFoundError when it may not go on as it is */
  async check({ ctx, resource, filter }: EventReading, known: KnownReaders): Promise<void> {
    const { userId, keyId, keyGeneration, tokenId, sessionId } = ctx.principal;
    const credential = [userId, keyId, keyGeneration, tokenId, sessionId].join();
    const principal = await once(known.principals, credential, () =>
      this.authenticator.recheck(ctx.principal, NEEDED),
    );
    if (!principal) throw new UnauthenticatedError('The credential is not valid any more.');
    const asked = [userId, principal.role, resource].join();
    const now = await once(known.filters, asked, () => this.resources.filterFor(principal, resource));
    if (now.ownerId === filter.ownerId && now.resource === filter.resource) return;
    throw new ForbiddenError('What you may read here has changed: connect again.');
  }
}

function once<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const answer = known.get(key) ?? ask();
  known.set(key, answer);
  return answer;
}

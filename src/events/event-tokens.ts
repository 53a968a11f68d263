import { Injectable } from '@nestjs/common';
import { type ScopedToken, ScopedTokenService } from '../auth/index';
import type { RequestContext } from '../common/index';
import { EventResources } from './event-resources';

/** Tokens for the stream of one resource that the caller may follow now. */
@Injectable()
export class EventTokens {
  constructor(
    private readonly tokens: ScopedTokenService,
    private readonly resources: EventResources,
  ) {}

  /** @throws NotFoundError */
  async issue(ctx: RequestContext, resource: string): Promise<ScopedToken> {
    await this.resources.filterFor(ctx.principal, resource);
    return await this.tokens.issue(ctx, resource);
  }
}

import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { RequestContext } from '../../common/index';
import { AppConfig } from '../../config/index';
import { chatLimits } from '../chat-messages';
import { referencesIn, resolved } from './references';
import { checkItemCount, previousIdOf, type ResponsesRequest, toChatRequest } from './request';
import { StoredResponses } from './stored-responses.service';

/** Reads requests of the Responses API off HTTP, within the installation's bounds. */
@Injectable()
export class ResponseRequests {
  constructor(
    private readonly config: AppConfig,
    private readonly stored: StoredResponses,
  ) {}

  /** @throws ValidationError naming the field or header and the rule; PreviousResponseNotFoundError. */
  async read(ctx: RequestContext, request: FastifyRequest): Promise<ResponsesRequest> {
    const limits = chatLimits(this.config);
    checkItemCount(request.body, limits);
    const body = await this.withItems(ctx, request.body);
    const previousId = previousIdOf(body);
    const previous = previousId === undefined ? undefined : await this.stored.previous(ctx, previousId);
    return toChatRequest(body, request.headers, limits, previous);
  }

  private async withItems(ctx: RequestContext, body: unknown): Promise<unknown> {
    const references = referencesIn(body);
    if (references.size === 0) return body;
    return resolved(body, references, await this.stored.items(ctx, [...references.values()]));
  }
}

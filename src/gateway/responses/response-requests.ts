import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { RequestContext } from '../../common/index';
import { AppConfig } from '../../config/index';
import { referencesIn, resolved } from './references';
import { previousIdOf, type ResponsesRequest, toChatRequest } from './request';
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
    const { vars } = this.config;
    const body = await this.withItems(ctx, request.body);
    const previousId = previousIdOf(body);
    const previous = previousId === undefined ? undefined : await this.stored.previous(ctx, previousId);
    const limits = {
      maxMessages: vars.MAX_MESSAGES,
      maxTools: vars.MAX_TOOLS,
      maxPromptChars: vars.MAX_PROMPT_CHARS,
    };
    return toChatRequest(body, request.headers, limits, previous);
  }

  private async withItems(ctx: RequestContext, body: unknown): Promise<unknown> {
    const references = referencesIn(body);
    if (references.size === 0) return body;
    return resolved(body, references, await this.stored.items(ctx, [...references.values()]));
  }
}

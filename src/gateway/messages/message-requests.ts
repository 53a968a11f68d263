import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CatalogService } from '../../catalog/index';
import type { LatticeOptions } from '../../common/index';
import { AppConfig } from '../../config/index';
import { ModelAvailability } from '../../selection/index';
import { type MessagesRequest, toChatRequest } from './request';
import { ANY_TARGET, type Targets, targetsOf } from './targets';

const ROUTED = /^\s*auto(:|\s*$)/i;

/** Reads requests of Anthropic's dialect off HTTP, within the installation's bounds. */
@Injectable()
export class MessageRequests {
  constructor(
    private readonly config: AppConfig,
    private readonly catalog: CatalogService,
    private readonly availability: ModelAvailability,
  ) {}

  /** @throws ValidationError naming the field or header and the rule; ModelNotFoundError. */
  read(request: FastifyRequest): MessagesRequest {
    const { vars } = this.config;
    return toChatRequest(request.body, request.headers, {
      limits: {
        maxMessages: vars.MAX_MESSAGES,
        maxTools: vars.MAX_TOOLS,
        maxPromptChars: vars.MAX_PROMPT_CHARS,
      },
      targets: (model, options) => this.targets(model, options),
    });
  }

  private targets(model: string, { fallback, models = [] }: LatticeOptions): Targets {
    const names = [model, ...models];
    if (fallback === 'any' || names.some((name) => ROUTED.test(name))) return ANY_TARGET;
    const sold = names.flatMap((name) => this.catalog.resolve(name.trim()).models);
    return targetsOf(sold.filter((one) => this.availability.isProviderAvailable(one)));
  }
}

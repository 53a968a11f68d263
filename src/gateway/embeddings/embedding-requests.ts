import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { EmbeddingRequest } from '../../common/index';
import { AppConfig } from '../../config/index';
import { parseEmbeddingRequest } from './request';

/** Reads embedding requests off HTTP, within the installation's bounds. */
@Injectable()
export class EmbeddingRequests {
  constructor(private readonly config: AppConfig) {}

  /** @throws ValidationError naming the field or header and the rule. */
  read({ body, headers }: FastifyRequest): EmbeddingRequest {
    return parseEmbeddingRequest(body, headers, this.config.vars.MAX_PROMPT_CHARS);
  }
}

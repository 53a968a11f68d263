import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { ChatRequest } from '../common/index';
import { AppConfig } from '../config/index';
import { parseChatRequest } from './chat-body';
import { chatLimits } from './chat-messages';

/** Reads chat requests off HTTP, within the installation's bounds. */
@Injectable()
export class ChatRequests {
  constructor(private readonly config: AppConfig) {}

  /** @throws ValidationError naming the field or header and the rule. */
  read(request: FastifyRequest): ChatRequest {
    return parseChatRequest(request.body, request.headers, declaredBytes(request), chatLimits(this.config));
  }
}

/** Chunked bodies come without one; they are rare. */
function declaredBytes(request: FastifyRequest): number | undefined {
  const declared = Number(request.headers['content-length']);
  return Number.isSafeInteger(declared) && declared > 0 ? declared : undefined;
}

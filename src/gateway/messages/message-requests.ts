import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppConfig } from '../../config/index';
import { chatLimits } from '../chat-messages';
import { type MessagesRequest, toChatRequest } from './request';

/** Reads requests of Anthropic's dialect off HTTP, within the installation's bounds. */
@Injectable()
export class MessageRequests {
  constructor(private readonly config: AppConfig) {}

  /** @throws ValidationError naming the field or header and the rule. */
  read(request: FastifyRequest): MessagesRequest {
    return toChatRequest(request.body, request.headers, chatLimits(this.config));
  }
}

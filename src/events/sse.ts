/** Server-sent events on an HTTP response. */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { ValidationError } from '../errors/index';
import { POSITION } from './dto/stream.query.dto';

/** Takes the response out of the framework's hands and writes its head. */
export function openEventStream(reply: FastifyReply): ServerResponse {
  const { raw } = reply;
  reply.hijack();
  if (raw.destroyed) return raw;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  raw.socket?.setNoDelay(true);
  // There is a HEAD for every GET; it has nothing to wait for.
  if (reply.request.method === 'HEAD') raw.end();
  return raw;
}

/** The position that the header names; undefined without one. @throws ValidationError */
export function lastEventIdOf(header: string | undefined): string | undefined {
  if (header === undefined || header === '') return undefined;
  if (POSITION.test(header)) return header;
  throw new ValidationError('Last-Event-ID must be the id of an event of a stream, a decimal number', {
    param: 'Last-Event-ID',
  });
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { UnsupportedMediaTypeError } from '../../errors/index';

export const CSV_TYPE = 'text/csv';
export const IMPORT_PATH = 'import';

/** Lets files through to the one route that takes them, as bytes within BODY_LIMIT_BYTES; elsewhere they stay 415. */
@Injectable()
export class CsvBodies implements OnModuleInit {
  constructor(private readonly host: HttpAdapterHost<FastifyAdapter>) {}

  onModuleInit(): void {
    // Without HTTP there is none.
    const adapter = this.host.httpAdapter as FastifyAdapter | undefined;
    adapter
      ?.getInstance()
      .addContentTypeParser(
        CSV_TYPE,
        { parseAs: 'buffer' },
        (request: FastifyRequest, body: string | Buffer, done) => {
          if (request.routeOptions.url?.endsWith(`/outcomes/${IMPORT_PATH}`)) done(null, body);
          else done(new UnsupportedMediaTypeError('Send the body as application/json (header Content-Type)'));
        },
      );
  }
}

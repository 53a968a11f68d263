import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppModule } from './app.module';
import { newId, toApiId, within } from './common/index';
import type { AppConfig } from './config/index';
import { DurableWorker } from './durable/index';
import { errorResponse, ValidationError } from './errors/index';
import { addSecurityHeaders, openCors } from './http-security';
import { AppLogger, attachRequestState, BackgroundTasks, OpenRequests } from './observability/index';
import { setUpSwagger } from './swagger';

/** What an open answer gets to end with an error event of its own, once the drain limit has passed. */
const GRACE_MS = 400;
/** The process is to be gone a second after the drain limit; this much of it is for the embedded database. */
const AFTER_DRAIN_MS = 1000;
const DATABASE_STOP_MS = 250;

/** Builds the application around a PostgreSQL that runs; it listens nowhere yet. */
export async function createApp(config: AppConfig, databaseUrl: string): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: config.vars.BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    trustProxy: config.trustProxy,
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: answerFrameworkError,
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(config, databaseUrl),
    adapter,
    {
      // Fastify's own JSON parser: it refuses prototype poisoning, and other content types are 415.
      bodyParser: false,
      bufferLogs: true,
      abortOnError: false,
    },
  );
  app.useLogger(app.get(AppLogger));
  const fastify = adapter.getInstance();
  fastify.removeContentTypeParser('text/plain');
  addSecurityHeaders(app, config);
  openCors(app, config);
  attachRequestState(fastify, app.get(OpenRequests));
  await setUpSwagger(app);
  return app;
}

/** Errors before any route is found, such as a malformed URL; no hook has run yet. */
function answerFrameworkError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const refused = new ValidationError('The URL is malformed or too long', { cause: error });
  const answer = errorResponse(refused, request.url, toApiId('req', newId()));
  void reply.status(answer.status).headers(answer.headers).send(answer.body);
}

/** Lets open work end within the drain limit, ends the rest cleanly, and closes the application. */
export async function shutDown(app: NestFastifyApplication, config: AppConfig): Promise<void> {
  const limitMs = config.vars.BACKGROUND_TASK_TIMEOUT * 1000;
  const drainMs = config.vars.PROJECT_WORKER === 'on' ? config.vars.DURABLE_DRAIN_MS : 0;
  const closeBy = performance.now() + Math.max(limitMs, drainMs) + AFTER_DRAIN_MS - DATABASE_STOP_MS;
  const logger = app.get(AppLogger);
  logger.event('shutdown', { openRequests: app.get(OpenRequests).count, limitMs });
  await Promise.all([
    app.get(OpenRequests).drain(limitMs, GRACE_MS),
    app.get(BackgroundTasks).drain(limitMs),
    app.get(DurableWorker).drain(),
  ]);
  try {
    // Closing must not hang on a part that does not answer: PostgreSQL may be gone.
    await within(Math.max(DATABASE_STOP_MS, closeBy - performance.now()), app.close());
  } finally {
    logger.flush();
  }
}

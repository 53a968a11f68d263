/** What browsers are told: security headers on every answer, and CORS for the origins of the configuration. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { AppConfig } from './config/index';

const METHODS = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS'];
const ALLOWED_HEADERS = [
  'Authorization',
  'x-api-key',
  'Content-Type',
  'Idempotency-Key',
  'Last-Event-ID',
  'x-request-id',
  'traceparent',
];
const EXPOSED_HEADERS = [
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'RateLimit-Policy',
  'Retry-After',
  'x-request-id',
  'x-lattice-request-id',
  'x-lattice-decision-id',
  'x-lattice-model',
  'x-lattice-provider',
  'x-lattice-task-type',
  'x-lattice-attempts',
  'x-lattice-cost-usd',
  'x-lattice-stop',
  'x-lattice-warnings',
  'x-lattice-sandbox',
  'x-lattice-cache',
  'x-lattice-idempotent-replay',
  'x-lattice-original-request-id',
];
const LATTICE_HEADER = /^x-lattice-[a-z0-9-]{1,64}$/i;
const PREFLIGHT_MAX_AGE_SECONDS = 600;

/** HSTS in production only, where the service stands behind TLS; Swagger UI styles its elements in place. */
export function addSecurityHeaders(app: NestFastifyApplication, config: AppConfig): void {
  app.useSecurityHeaders({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
      },
    },
    crossOriginResourcePolicy: { policy: config.corsOrigins.length > 0 ? 'cross-origin' : 'same-origin' },
    strictTransportSecurity: config.isProduction,
    xFrameOptions: { action: 'deny' },
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  // Answers hold credentials and figures of one caller: nothing between may keep them.
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      if (!request.url.startsWith('/docs')) void reply.header('cache-control', 'no-store');
      done();
    });
}

/** Closed unless CORS_ORIGINS names somebody. Credentials travel in headers, never in cookies, so none are allowed. */
export function openCors(app: NestFastifyApplication, { corsOrigins }: AppConfig): void {
  if (corsOrigins.length === 0) return;
  app.enableCors({
    delegator: (request: FastifyRequest, done: (error: Error | null, options: object) => void) =>
      done(null, {
        origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
        methods: METHODS,
        allowedHeaders: [...ALLOWED_HEADERS, ...askedLatticeHeaders(request)],
        exposedHeaders: EXPOSED_HEADERS,
        credentials: false,
        maxAge: PREFLIGHT_MAX_AGE_SECONDS,
      }),
  });
}

/** Every `x-lattice-*` header is allowed; the ones that a preflight asks for are named in its answer. */
function askedLatticeHeaders(request: FastifyRequest): string[] {
  return String(request.headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => LATTICE_HEADER.test(name));
}

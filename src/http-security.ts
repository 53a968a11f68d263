/** What browsers are told: security headers on every answer, and CORS for the origins of the configuration. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { commaList } from './common/index';
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
  'anthropic-version',
  'anthropic-beta',
  'anthropic-dangerous-direct-browser-access',
];
const EXPOSED_HEADERS = [
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'RateLimit-Policy',
  'Retry-After',
  'x-should-retry',
  'x-request-id',
  'request-id',
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
  'age',
  'x-lattice-execution-mode',
  'x-lattice-fallback-reason',
  'x-lattice-idempotent-replay',
  'x-lattice-original-request-id',
];
/** Our own options, and what the vendors' SDKs tell about themselves. */
const FREE_HEADER = /^x-(?:lattice|stainless)-[a-z0-9-]{1,64}$/i;
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
  const options = {
    origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
    methods: METHODS,
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    credentials: false,
    maxAge: PREFLIGHT_MAX_AGE_SECONDS,
  };
  app.enableCors({
    delegator: (request: FastifyRequest, done: (error: Error | null, options: object) => void) => {
      const asked = freeHeadersOf(request);
      done(null, asked.length > 0 ? { ...options, allowedHeaders: [...ALLOWED_HEADERS, ...asked] } : options);
    },
  });
}

/** Headers that are allowed by their prefix are named when a preflight asks for them. */
function freeHeadersOf({ headers }: FastifyRequest): string[] {
  const asked = headers['access-control-request-headers'];
  return asked === undefined ? [] : commaList(String(asked)).filter((name) => FREE_HEADER.test(name));
}

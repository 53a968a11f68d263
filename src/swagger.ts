import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { describeAccess } from './auth/index';
import { ErrorResponseDto } from './errors/index';
import { describeIdempotencyKey } from './idempotency/index';
import { VERSION } from './operations/index';

/** The groups of Swagger UI, in this order. */
const TAGS = [
  ['inference', 'What clients call: OpenAI’s and Anthropic’s dialects, routed and billed'],
  ['auth', 'Accounts and sessions'],
  ['users', 'Administration of accounts'],
  ['keys', 'API keys; each is shown once'],
  ['budgets', 'What may be spent'],
  ['limits', 'How much may be asked'],
  ['routing', 'Why a model is chosen'],
  ['usage', 'The books: one line per upstream attempt'],
  ['ledger', 'Proofs of the books: reconcile, re-rate'],
  ['events', 'What happens, as a stream'],
  ['webhooks', 'What happens, sent to you and signed'],
  ['catalog', 'Models, capabilities and the versioned price book'],
  ['providers', 'What can be reached now'],
  ['tools', 'Server-side tools'],
  ['audit', 'Who changed what'],
  ['operations', 'Health and metrics'],
] as const;

/** The OpenAPI 3.1 document of every route. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder();
  for (const [name, description] of TAGS) builder.addTag(name, description);
  const options = builder
    .setOpenAPIVersion('3.1.0')
    .setTitle('Lattice')
    .setDescription(
      'Self-hosted LLM gateway: one OpenAI-compatible door in front of every provider, routed, billed to the last digit.\n\n' +
        'Register an account (`POST /api/v1/auth/register`), press **Authorize** with its `accessToken`, and try any route.',
    )
    .setVersion(VERSION)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer('/')
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', description: 'An access token or an API key (`llk_…`)' },
      'bearer',
    )
    .addSecurityRequirements('bearer')
    .addGlobalResponse(
      {
        status: 400,
        description: 'The request breaks a rule; `error.param` names the field',
        type: ErrorResponseDto,
      },
      { status: 401, description: 'No valid credential', type: ErrorResponseDto },
      {
        status: 429,
        description: 'A limit or budget is used up; `Retry-After` says until when',
        type: ErrorResponseDto,
      },
      { status: 503, description: 'A part Lattice stands on is away; try again', type: ErrorResponseDto },
    )
    .build();
  return describeIdempotencyKey(describeAccess(SwaggerModule.createDocument(app, options)));
}

/** Swagger UI at /docs, the document at /openapi.json. */
export async function setUpSwagger(app: INestApplication): Promise<void> {
  let document: OpenAPIObject | undefined;
  SwaggerModule.setup('docs', app, () => (document ??= openApiDocument(app)), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Lattice API',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, tryItOutEnabled: true },
  });
}

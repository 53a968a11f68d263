/** What every embedding adapter is asked, and how each provider answers it, written from the providers' documentation. */
import type { EmbeddingFacts } from '../../../src/catalog/index';
import type { ProviderId } from '../../../src/common/index';
import type { ProviderAdapter } from '../../../src/providers/index';
import { BedrockAdapter } from '../../../src/providers/adapters/bedrock/bedrock.adapter';
import { CohereAdapter } from '../../../src/providers/adapters/cohere/cohere.adapter';
import { GoogleAdapter } from '../../../src/providers/adapters/google/google.adapter';
import { LocalAdapter } from '../../../src/providers/adapters/openai-dialect/local.adapter';
import { OpenAiDialectAdapter } from '../../../src/providers/adapters/openai-dialect/openai-dialect.adapter';
import type { GoldenAnswer, ReceivedRequest } from './golden-upstream';

export const EMBED_KEY = 'key-of-the-installation-0123456789';
export const EMBED_REQUEST_ID = 'upstream-request-42';
export const AWS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: EMBED_KEY, region: 'eu-central-1' };
export const TEXTS = ['first text of the batch', 'second text of the batch'] as const;
export const VECTORS = [
  [0.25, -0.5, 0.125],
  [0.75, 0.5, -1],
] as const;
export const PROMPT_TOKENS = 10;

export interface EmbeddingRow {
  readonly name: string;
  readonly provider: ProviderId;
  readonly upstreamId: string;
  readonly facts?: Partial<EmbeddingFacts>;
  create(baseUrl: string): ProviderAdapter;
  readonly path: string;
  /** Name and value; the value may be a beginning. */
  readonly credential?: readonly [string, string];
  /** How many of TEXTS one request takes. */
  readonly batch: 1 | 2;
  readonly ok: GoldenAnswer;
  /** The golden that asks to come back after two seconds. */
  readonly rateLimited: GoldenAnswer;
  readonly badRequest: GoldenAnswer;
  readonly unauthorized: GoldenAnswer;
  /** Undefined where the answer does not count. */
  readonly promptTokens?: number;
  readonly modelServed?: string;
  /** The whole body that arrived, for a call with 256 dimensions, a query, a user and one unknown field. */
  readonly fullBody: Record<string, unknown>;
  readonly plainBody: Record<string, unknown>;
  readonly warnings: readonly string[];
  received?(request: ReceivedRequest): void;
}

const json = (body: unknown, more: Partial<GoldenAnswer> & { id?: string } = {}): GoldenAnswer => ({
  status: more.status,
  headers: {
    'content-type': 'application/json',
    [more.id ?? 'x-request-id']: EMBED_REQUEST_ID,
    ...more.headers,
  },
  steps: [JSON.stringify(body)],
});

const openAiList = (model: string): GoldenAnswer =>
  json({
    object: 'list',
    // The order of arrival is not the order of the inputs.
    data: [
      { object: 'embedding', index: 1, embedding: VECTORS[1] },
      { object: 'embedding', index: 0, embedding: VECTORS[0] },
    ],
    model,
    usage: { prompt_tokens: PROMPT_TOKENS, total_tokens: PROMPT_TOKENS },
  });
const openAiError = (status: number, code: string, headers?: Record<string, string>): GoldenAnswer =>
  json({ error: { message: `Refused: ${code}`, type: 'x', code, param: 'input' } }, { status, headers });

function openAiRow(
  provider: ProviderId,
  more: Pick<EmbeddingRow, 'create' | 'path'> & Partial<EmbeddingRow>,
): EmbeddingRow {
  const upstreamId = 'text-embedding-3-small';
  return {
    name: provider,
    provider,
    upstreamId,
    batch: 2,
    ok: openAiList(upstreamId),
    rateLimited: openAiError(429, 'rate_limit_exceeded', { 'retry-after': '2' }),
    badRequest: openAiError(400, 'invalid_value'),
    unauthorized: openAiError(401, 'invalid_api_key'),
    promptTokens: PROMPT_TOKENS,
    modelServed: upstreamId,
    plainBody: { model: upstreamId, input: [...TEXTS], encoding_format: 'float' },
    fullBody: {
      model: upstreamId,
      input: [...TEXTS],
      encoding_format: 'float',
      dimensions: 256,
      user: 'ada',
      rare: 1,
    },
    warnings: ['input_type left out'],
    ...more,
  };
}

const settings = (baseUrl: string, apiVersion?: string) => ({
  apiKey: EMBED_KEY,
  baseUrl,
  apiVersion,
  isConfigured: true,
  variables: [],
});

const googleError = (code: number, status: string, details: unknown[] = []): GoldenAnswer =>
  json({ error: { code, message: `Refused: ${status}`, status, details } }, { status: code });
const awsError = (status: number, type: string, headers: Record<string, string> = {}): GoldenAnswer =>
  json(
    { message: `Refused: ${type}` },
    { status, id: 'x-amzn-requestid', headers: { 'x-amzn-errortype': `${type}:http://x/`, ...headers } },
  );
const cohereError = (status: number, headers?: Record<string, string>): GoldenAnswer =>
  json({ message: 'Refused by the provider' }, { status, headers, id: 'x-debug-trace-id' });

const AWS_ERRORS = {
  rateLimited: awsError(429, 'ThrottlingException', { 'retry-after': '2' }),
  badRequest: awsError(400, 'ValidationException'),
  unauthorized: awsError(403, 'AccessDeniedException'),
};
const COHERE_FACTS: Partial<EmbeddingFacts> = { maxBatch: 96, hasInputTypes: true };
const cohereBody = (more: object): Record<string, unknown> => ({
  texts: [...TEXTS],
  embedding_types: ['float'],
  truncate: 'NONE',
  ...more,
});

export const EMBEDDING_ROWS: readonly EmbeddingRow[] = [
  openAiRow('openai', {
    create: (baseUrl) => new OpenAiDialectAdapter('openai', settings(`${baseUrl}/v1`)),
    path: '/v1/embeddings',
    credential: ['authorization', `Bearer ${EMBED_KEY}`],
  }),
  openAiRow('azure', {
    create: (baseUrl) => new OpenAiDialectAdapter('azure', settings(baseUrl, '2024-10-21')),
    path: '/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21',
    credential: ['api-key', EMBED_KEY],
  }),
  openAiRow('dial', {
    create: (baseUrl) => new OpenAiDialectAdapter('dial', settings(baseUrl, '2024-10-21')),
    path: '/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21',
    credential: ['api-key', EMBED_KEY],
  }),
  openAiRow('local', {
    create: (baseUrl) => new LocalAdapter({ baseUrl: `${baseUrl}/v1`, isConfigured: true, variables: [] }),
    path: '/v1/embeddings',
  }),
  {
    name: 'google',
    provider: 'google',
    upstreamId: 'gemini-embedding-001',
    facts: { hasInputTypes: true, maxBatch: 100 },
    create: (baseUrl) => new GoogleAdapter(settings(baseUrl)),
    path: '/v1beta/models/gemini-embedding-001:batchEmbedContents',
    credential: ['x-goog-api-key', EMBED_KEY],
    batch: 2,
    ok: json({
      embeddings: VECTORS.map((values) => ({ values })),
      usageMetadata: { promptTokenCount: PROMPT_TOKENS },
    }),
    rateLimited: googleError(429, 'RESOURCE_EXHAUSTED', [
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2s' },
    ]),
    badRequest: googleError(400, 'INVALID_ARGUMENT'),
    unauthorized: googleError(403, 'PERMISSION_DENIED'),
    promptTokens: PROMPT_TOKENS,
    plainBody: {
      requests: TEXTS.map((text) => ({
        model: 'models/gemini-embedding-001',
        content: { parts: [{ text }] },
      })),
    },
    fullBody: {
      requests: TEXTS.map((text) => ({
        model: 'models/gemini-embedding-001',
        content: { parts: [{ text }] },
        outputDimensionality: 256,
        taskType: 'RETRIEVAL_QUERY',
      })),
    },
    warnings: ['rare left out'],
  },
  {
    name: 'bedrock, Titan',
    provider: 'bedrock',
    upstreamId: 'amazon.titan-embed-text-v2:0',
    facts: { maxBatch: 1 },
    create: (baseUrl) => new BedrockAdapter({ baseUrl, aws: AWS, isConfigured: true, variables: [] }),
    path: '/model/amazon.titan-embed-text-v2%3A0/invoke',
    credential: ['authorization', 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/'],
    batch: 1,
    ok: json({ embedding: VECTORS[0], inputTextTokenCount: 5 }, { id: 'x-amzn-requestid' }),
    ...AWS_ERRORS,
    promptTokens: 5,
    plainBody: { inputText: TEXTS[0] },
    fullBody: { inputText: TEXTS[0], dimensions: 256 },
    warnings: ['input_type, rare left out'],
  },
  {
    name: 'bedrock, Cohere',
    provider: 'bedrock',
    upstreamId: 'cohere.embed-english-v3',
    facts: COHERE_FACTS,
    create: (baseUrl) => new BedrockAdapter({ baseUrl, aws: AWS, isConfigured: true, variables: [] }),
    path: '/model/cohere.embed-english-v3/invoke',
    credential: ['authorization', 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/'],
    batch: 2,
    ok: json(
      { id: 'a', texts: [...TEXTS], embeddings: { float: VECTORS }, response_type: 'embeddings_by_type' },
      { id: 'x-amzn-requestid', headers: { 'x-amzn-bedrock-input-token-count': String(PROMPT_TOKENS) } },
    ),
    ...AWS_ERRORS,
    promptTokens: PROMPT_TOKENS,
    plainBody: cohereBody({ input_type: 'search_document' }),
    fullBody: cohereBody({ input_type: 'search_query', output_dimension: 256 }),
    warnings: ['rare left out'],
  },
  {
    name: 'cohere',
    provider: 'cohere',
    upstreamId: 'embed-v4.0',
    facts: COHERE_FACTS,
    create: (baseUrl) => new CohereAdapter(settings(baseUrl)),
    path: '/v2/embed',
    credential: ['authorization', `Bearer ${EMBED_KEY}`],
    batch: 2,
    ok: json(
      {
        id: 'b',
        embeddings: { float: VECTORS },
        texts: [...TEXTS],
        meta: { api_version: { version: '2' }, billed_units: { input_tokens: PROMPT_TOKENS } },
      },
      { id: 'x-debug-trace-id' },
    ),
    rateLimited: cohereError(429, { 'retry-after': '2' }),
    badRequest: cohereError(400),
    unauthorized: cohereError(401),
    promptTokens: PROMPT_TOKENS,
    plainBody: { model: 'embed-v4.0', ...cohereBody({ input_type: 'search_document' }) },
    fullBody: { model: 'embed-v4.0', ...cohereBody({ input_type: 'search_query', output_dimension: 256 }) },
    warnings: ['rare left out'],
  },
];

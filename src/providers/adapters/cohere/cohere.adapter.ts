import type { ProviderSettings } from '../../../config/index';
import { isJsonObject } from '../../../common/index';
import { ProviderError } from '../../provider.errors';
import type { ChatResult, ChatStream, EmbedCall, EmbedResult, ProviderAdapter } from '../../provider.port';
import type { ErrorDialect } from '../ai-sdk/errors';
import { getJson } from '../ai-sdk/get-json';
import { postForVectors, type Received } from '../ai-sdk/post-json';
import { UndiciTransport } from '../ai-sdk/undici-fetch';
import { embedReport, leftOut, tokenCount } from '../embedding';
import { cohereEmbedBody, cohereVectors } from './embed';
import { COHERE_REQUEST_ID_HEADERS, cohereFault } from './errors';

const DEFAULT_BASE_URL = 'https://api.cohere.com';
const MODELS_PER_PAGE = 1000;

/** Cohere's v2 API, for embeddings only. */
export class CohereAdapter implements ProviderAdapter {
  readonly provider = 'cohere';
  readonly #transport: UndiciTransport;
  readonly #dialect: ErrorDialect;
  readonly #baseUrl: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(
    settings: ProviderSettings,
    private readonly shared?: UndiciTransport,
  ) {
    const { apiKey, baseUrl = DEFAULT_BASE_URL } = settings;
    this.#transport = shared ?? new UndiciTransport();
    this.#baseUrl = baseUrl.replace(/(?:\/v[12])?\/*$/, '');
    this.#headers = { 'x-client-name': 'lattice', ...(apiKey && { authorization: `Bearer ${apiKey}` }) };
    this.#dialect = {
      provider: this.provider,
      apiKey,
      requestIdHeaders: COHERE_REQUEST_ID_HEADERS,
      faultOf: cohereFault,
    };
  }

  embed(call: EmbedCall): Promise<EmbedResult> {
    return postForVectors(`${this.#baseUrl}/v2/embed`, {
      call,
      body: { model: call.model.upstreamId, ...cohereEmbedBody(call) },
      headers: () => this.#headers,
      transport: this.#transport,
      dialect: this.#dialect,
      read: (received) => resultOf(call, received),
    });
  }

  chat(): Promise<ChatResult> {
    return Promise.reject(this.#embedsOnly());
  }

  chatStream(): Promise<ChatStream> {
    return Promise.reject(this.#embedsOnly());
  }

  async listModels(signal: AbortSignal): Promise<readonly string[]> {
    const url = `${this.#baseUrl}/v1/models?endpoint=embed&page_size=${MODELS_PER_PAGE}`;
    const { models } = await getJson(url, {
      headers: this.#headers,
      signal,
      transport: this.#transport,
      dialect: this.#dialect,
    });
    const rows = Array.isArray(models) ? (models as readonly unknown[]) : [];
    return rows.flatMap((row) => (isJsonObject(row) && typeof row.name === 'string' ? [row.name] : []));
  }

  withSettings(settings: ProviderSettings): ProviderAdapter {
    return new CohereAdapter(settings, this.#transport);
  }

  async close(): Promise<void> {
    if (!this.shared) await this.#transport.close();
  }

  #embedsOnly(): ProviderError {
    return new ProviderError('cohere is used for embeddings only: ask POST /v1/embeddings', {
      provider: this.provider,
      fault: 'not_found',
      mayBeBilled: false,
    });
  }
}

function resultOf(call: EmbedCall, { body, upstreamRequestId }: Received): EmbedResult | undefined {
  const vectors = cohereVectors(body);
  if (!vectors) return undefined;
  const billed =
    isJsonObject(body.meta) && isJsonObject(body.meta.billed_units) ? body.meta.billed_units : undefined;
  return {
    vectors,
    report: embedReport({
      promptTokens: tokenCount(billed?.input_tokens),
      rawUsage: billed,
      upstreamRequestId:
        upstreamRequestId ?? (typeof body.id === 'string' ? body.id.slice(0, 200) : undefined),
      warnings: leftOut(call, false),
    }),
  };
}

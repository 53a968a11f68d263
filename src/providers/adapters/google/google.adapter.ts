import { randomUUID } from 'node:crypto';
import type { ProviderSettings } from '../../../config/index';
import { isJsonObject, type JsonObject } from '../../../common/index';
import type { ChatCall, EmbedCall, EmbedResult, ProviderAdapter } from '../../provider.port';
import { AiSdkAdapter, type AiSdkShared } from '../ai-sdk/ai-sdk.adapter';
import { byKey } from '../ai-sdk/kept-thoughts';
import { lazyPackage } from '../ai-sdk/lazy-package';
import { postForVectors } from '../ai-sdk/post-json';
import { inlineImages } from '../ai-sdk/prompt-images';
import type { ConvertedRequest } from '../ai-sdk/request';
import type { AiSdkVendor, ModelFactory } from '../ai-sdk/vendor';
import { versionedUrl } from '../ai-sdk/versioned-url';
import { googleEmbedBody, googleEmbedResult } from './embeddings';
import { GOOGLE_REQUEST_ID_HEADERS, googleFault, googleRetryAfterMs } from './errors';
import { GOOGLE_FIELDS, googlePartOptions, refineForGoogle, type ThinkingFormat } from './request';
import { checkedModel, clearWarning, GOOGLE_STOP_REASONS, servedModel } from './response';
import { SignatureWatch, signaturesFor } from './signatures';
import { singleRequest } from './single-request';
import { googleEarlyUsage, googleUsage } from './usage';

const DEFAULT_BASE_URL = 'https://generativelanguage.googleapis.com/v1beta';
const MODELS_PER_PAGE = 1000;

/** Google's Gemini API through `@ai-sdk/google`, which is loaded at the first call. */
export class GoogleAdapter extends AiSdkAdapter {
  readonly provider = 'google';
  protected readonly vendor: AiSdkVendor;
  readonly #baseUrl: string;

  constructor(
    private readonly settings: ProviderSettings,
    shared: AiSdkShared = {},
  ) {
    super(shared);
    this.#baseUrl = versionedUrl(settings.baseUrl ?? DEFAULT_BASE_URL, 'v1beta');
    this.vendor = {
      provider: this.provider,
      apiKey: settings.apiKey,
      requestIdHeaders: GOOGLE_REQUEST_ID_HEADERS,
      ...GOOGLE_FIELDS,
      faultOf: googleFault,
      retryAfterMs: googleRetryAfterMs,
      partOptions: googlePartOptions,
      stopReasons: GOOGLE_STOP_REASONS,
      usage: googleUsage,
      earlyUsage: googleEarlyUsage,
      servedModel,
      clearWarning,
      load: lazyPackage('@ai-sdk/google', () => this.#load()),
      refine: (request, call) => this.#refine(request, call),
      recall: ({ prompt }, call) => signaturesFor(prompt, call, this.thoughts),
      watch: (call) => new SignatureWatch(call, this.thoughts),
    };
  }

  embed(call: EmbedCall): Promise<EmbedResult> {
    return postForVectors(`${this.#baseUrl}/models/${call.model.upstreamId}:batchEmbedContents`, {
      call,
      body: googleEmbedBody(call),
      headers: () => ({ 'x-goog-api-key': this.settings.apiKey ?? '' }),
      transport: this.transport,
      dialect: this.vendor,
      read: (received) => googleEmbedResult(call, received),
    });
  }

  async listModels(signal: AbortSignal): Promise<readonly string[]> {
    const headers = { 'x-goog-api-key': this.settings.apiKey ?? '' };
    const ids: string[] = [];
    let token: string | undefined;
    do {
      const next = token ? `&pageToken=${encodeURIComponent(token)}` : '';
      const url = `${this.#baseUrl}/models?pageSize=${MODELS_PER_PAGE}${next}`;
      const page = await this.getJson(url, headers, signal);
      const found = modelIds(page);
      ids.push(...found);
      token = found.length > 0 && typeof page.nextPageToken === 'string' ? page.nextPageToken : undefined;
    } while (token);
    return ids;
  }

  withSettings(settings: ProviderSettings): ProviderAdapter {
    return new GoogleAdapter(settings, this.own);
  }

  async #load(): Promise<ModelFactory> {
    const { createGoogle } = await import('@ai-sdk/google');
    const { apiKey = '' } = this.settings;
    const options = { baseURL: this.#baseUrl, apiKey, generateId: newToolCallId };
    return (upstreamId, fetch) =>
      checkedModel(createGoogle({ ...options, fetch: singleRequest(fetch) })(upstreamId));
  }

  async #refine({ options, warnings }: ConvertedRequest, call: ChatCall): Promise<ConvertedRequest> {
    const prompt = await inlineImages(options.prompt, this.images, call.signal);
    return refineForGoogle(
      { options: { ...options, prompt }, warnings },
      {
        modelId: call.model.upstreamId,
        signatures: byKey(await signaturesFor(prompt, call, this.thoughts)),
        thinking: options.reasoning && (await thinkingFormat(call)),
      },
    );
  }
}

/** By the library's own table of models; asked only when it matters. */
async function thinkingFormat({ model }: ChatCall): Promise<ThinkingFormat | undefined> {
  if (!model.supports.reasoning) return undefined;
  const { getGoogleLanguageModelEntry } = await import('@ai-sdk/google/internal');
  const { requestConfig, capabilities } = getGoogleLanguageModelEntry(model.upstreamId);
  const { minBudget, maxBudget } = capabilities.language.reasoning;
  return { format: requestConfig.language.thinkingFormat, minBudget, maxBudget };
}

/** For models that number their calls by position only. */
function newToolCallId(): string {
  return `call_${randomUUID().replaceAll('-', '')}`;
}

function modelIds(page: JsonObject): string[] {
  const rows = Array.isArray(page.models) ? (page.models as readonly unknown[]) : [];
  return rows.flatMap((row) =>
    isJsonObject(row) && typeof row.name === 'string' ? [row.name.replace(/^models\//, '')] : [],
  );
}

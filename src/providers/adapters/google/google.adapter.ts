import { randomUUID } from 'node:crypto';
import type { ProviderSettings } from '../../../config/index';
import { isJsonObject, type JsonObject } from '../../../common/index';
import { ProviderUnavailableError } from '../../../errors/index';
import type { ChatCall, ChatResult, ChatStream, ProviderAdapter } from '../../provider.port';
import { AiSdkChat } from '../ai-sdk/ai-sdk-chat';
import { getJson } from '../ai-sdk/get-json';
import { ImageLoader } from '../ai-sdk/image-loader';
import type { ConvertedRequest } from '../ai-sdk/request';
import { UndiciTransport } from '../ai-sdk/undici-fetch';
import type { AiSdkVendor, ModelFactory } from '../ai-sdk/vendor';
import { completedModel } from './completed-model';
import { GOOGLE_REQUEST_ID_HEADERS, googleFault, googleRetryAfterMs } from './errors';
import { googlePartOptions, refineForGoogle, type ThinkingFormat } from './request';
import { GOOGLE_STOP_REASONS } from './response';
import { singleRequest } from './single-request';
import { ThoughtSignatures } from './thought-signatures';
import { googleEarlyUsage, googleUsage } from './usage';

const DEFAULT_BASE_URL = 'https://generativelanguage.googleapis.com/v1beta';
const MODELS_PER_PAGE = 1000;

/** Google's Gemini API through `@ai-sdk/google`, which is loaded at the first call. */
export class GoogleAdapter implements ProviderAdapter {
  readonly provider = 'google';
  readonly #transport = new UndiciTransport();
  readonly #signatures = new ThoughtSignatures();
  readonly #chat: AiSdkChat;
  readonly #vendor: AiSdkVendor;
  readonly #baseUrl: string;
  #factory?: Promise<ModelFactory>;

  constructor(
    private readonly settings: ProviderSettings,
    private readonly images = new ImageLoader(),
  ) {
    this.#baseUrl = versionedUrl(settings.baseUrl ?? DEFAULT_BASE_URL);
    this.#vendor = {
      provider: this.provider,
      apiKey: settings.apiKey,
      requestIdHeaders: GOOGLE_REQUEST_ID_HEADERS,
      ownFields: [],
      faultOf: googleFault,
      retryAfterMs: googleRetryAfterMs,
      partOptions: googlePartOptions,
      stopReasons: GOOGLE_STOP_REASONS,
      usage: googleUsage,
      earlyUsage: googleEarlyUsage,
      load: () => (this.#factory ??= this.#load()),
      refine: (request, call) => this.#refine(request, call),
    };
    this.#chat = new AiSdkChat(this.#vendor, this.#transport);
  }

  chat(call: ChatCall): Promise<ChatResult> {
    return this.#chat.chat(call);
  }

  chatStream(call: ChatCall): Promise<ChatStream> {
    return this.#chat.chatStream(call);
  }

  async listModels(signal: AbortSignal): Promise<readonly string[]> {
    const ids: string[] = [];
    let token: string | undefined;
    do {
      const next = token ? `&pageToken=${encodeURIComponent(token)}` : '';
      const page = await getJson(`${this.#baseUrl}/models?pageSize=${MODELS_PER_PAGE}${next}`, {
        headers: { 'x-goog-api-key': this.settings.apiKey ?? '' },
        signal,
        transport: this.#transport,
        dialect: this.#vendor,
      });
      const found = modelIds(page);
      ids.push(...found);
      token = found.length > 0 && typeof page.nextPageToken === 'string' ? page.nextPageToken : undefined;
    } while (token);
    return ids;
  }

  async close(): Promise<void> {
    await Promise.all([this.#transport.close(), this.images.close()]);
  }

  async #load(): Promise<ModelFactory> {
    try {
      const { createGoogle } = await import('@ai-sdk/google');
      const { apiKey = '' } = this.settings;
      const options = { baseURL: this.#baseUrl, apiKey, generateId: newToolCallId };
      return (upstreamId, fetch) =>
        completedModel(
          createGoogle({ ...options, fetch: singleRequest(fetch) })(upstreamId),
          this.#signatures,
        );
    } catch (error) {
      this.#factory = undefined;
      throw new ProviderUnavailableError(
        'package_missing',
        'The package @ai-sdk/google cannot be loaded: run npm install',
        { cause: error },
      );
    }
  }

  async #refine({ options, warnings }: ConvertedRequest, call: ChatCall): Promise<ConvertedRequest> {
    const prompt = await this.images.inline(options.prompt, call.signal);
    return refineForGoogle(
      { options: { ...options, prompt }, warnings },
      {
        modelId: call.model.upstreamId,
        signatures: this.#signatures,
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

/** Google's documentation names the base URL without the version, the library with it; both are taken. */
function versionedUrl(baseUrl: string): string {
  const trimmed = baseUrl.replace(/\/+$/, '');
  return /\/v\d+(?:(?:alpha|beta)\d*)?$/.test(trimmed) ? trimmed : `${trimmed}/v1beta`;
}

function modelIds(page: JsonObject): string[] {
  const rows = Array.isArray(page.models) ? (page.models as readonly unknown[]) : [];
  return rows.flatMap((row) =>
    isJsonObject(row) && typeof row.name === 'string' ? [row.name.replace(/^models\//, '')] : [],
  );
}

import type { ProviderSettings } from '../../../config/index';
import { isJsonObject, type JsonObject } from '../../../common/index';
import { ProviderUnavailableError } from '../../../errors/index';
import type { ChatCall, ChatResult, ChatStream, ProviderAdapter } from '../../provider.port';
import { AiSdkChat } from '../ai-sdk/ai-sdk-chat';
import { getJson } from '../ai-sdk/get-json';
import { UndiciTransport } from '../ai-sdk/undici-fetch';
import type { AiSdkVendor, ModelFactory } from '../ai-sdk/vendor';
import type { ConvertedRequest } from '../ai-sdk/request';
import { ANTHROPIC_REQUEST_ID_HEADERS, anthropicFault } from './errors';
import { ANTHROPIC_FIELDS, anthropicPartOptions, refineForAnthropic } from './request';
import { anthropicEarlyUsage, anthropicUsage } from './usage';

const DEFAULT_BASE_URL = 'https://api.anthropic.com/v1';
const API_VERSION = '2023-06-01';
const MODELS_PER_PAGE = 1000;

/** Anthropic's Messages API through `@ai-sdk/anthropic`, which is loaded at the first call. */
export class AnthropicAdapter implements ProviderAdapter {
  readonly provider = 'anthropic';
  readonly #transport = new UndiciTransport();
  readonly #chat: AiSdkChat;
  readonly #vendor: AiSdkVendor;
  readonly #baseUrl: string;
  #factory?: Promise<ModelFactory>;

  constructor(private readonly settings: ProviderSettings) {
    this.#baseUrl = versionedUrl(settings.baseUrl ?? DEFAULT_BASE_URL);
    this.#vendor = {
      provider: this.provider,
      apiKey: settings.apiKey,
      requestIdHeaders: ANTHROPIC_REQUEST_ID_HEADERS,
      ownFields: ANTHROPIC_FIELDS,
      faultOf: anthropicFault,
      partOptions: anthropicPartOptions,
      usage: anthropicUsage,
      earlyUsage: anthropicEarlyUsage,
      load: () => (this.#factory ??= this.#load()),
      refine,
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
    let page: JsonObject = { has_more: true };
    while (page.has_more === true) {
      const after = typeof page.last_id === 'string' ? `&after_id=${encodeURIComponent(page.last_id)}` : '';
      page = await getJson(`${this.#baseUrl}/models?limit=${MODELS_PER_PAGE}${after}`, {
        headers: { 'x-api-key': this.settings.apiKey ?? '', 'anthropic-version': API_VERSION },
        signal,
        transport: this.#transport,
        dialect: this.#vendor,
      });
      const before = ids.length;
      ids.push(...modelIds(page));
      if (ids.length === before) break;
    }
    return ids;
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #load(): Promise<ModelFactory> {
    try {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      const { apiKey = '' } = this.settings;
      return (upstreamId, fetch) => createAnthropic({ baseURL: this.#baseUrl, apiKey, fetch })(upstreamId);
    } catch (error) {
      this.#factory = undefined;
      throw new ProviderUnavailableError(
        'package_missing',
        'The package @ai-sdk/anthropic cannot be loaded: run npm install',
        { cause: error },
      );
    }
  }
}

async function refine(request: ConvertedRequest, call: ChatCall): Promise<ConvertedRequest> {
  return refineForAnthropic(request, call, await thinksAdaptively(request, call.model.upstreamId));
}

/** The library's own table of models; asked only when it matters. */
async function thinksAdaptively({ options }: ConvertedRequest, upstreamId: string): Promise<boolean> {
  if (!options.reasoning || options.reasoning === 'none') return true;
  const { getModelCapabilities } = await import('@ai-sdk/anthropic/internal');
  return getModelCapabilities(upstreamId).supportsAdaptiveThinking;
}

/** Anthropic's documentation names the base URL without the version, the library with it; both are taken. */
function versionedUrl(baseUrl: string): string {
  const trimmed = baseUrl.replace(/\/+$/, '');
  return trimmed.endsWith('/v1') ? trimmed : `${trimmed}/v1`;
}

function modelIds(page: JsonObject): string[] {
  const rows = Array.isArray(page.data) ? (page.data as readonly unknown[]) : [];
  return rows.flatMap((row) => (isJsonObject(row) && typeof row.id === 'string' ? [row.id] : []));
}

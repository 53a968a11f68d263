import type { ProviderSettings } from '../../../config/index';
import { isJsonObject, type JsonObject } from '../../../common/index';
import type { ChatCall, KeptThought, ProviderAdapter, RecallCall } from '../../provider.port';
import { AiSdkAdapter, type AiSdkShared } from '../ai-sdk/ai-sdk.adapter';
import { lazyPackage } from '../ai-sdk/lazy-package';
import { thinks } from '../ai-sdk/claude-thinking';
import type { ConvertedRequest } from '../ai-sdk/request';
import { recallThinking, thinkingFor, ThinkingWatch } from '../ai-sdk/signed-thinking';
import type { AiSdkVendor, ModelFactory } from '../ai-sdk/vendor';
import { versionedUrl } from '../ai-sdk/versioned-url';
import { ANTHROPIC_REQUEST_ID_HEADERS, anthropicFault } from './errors';
import { ANTHROPIC_FIELDS, anthropicPartOptions, refineForAnthropic } from './request';
import { anthropicEarlyUsage, anthropicUsage } from './usage';

const DEFAULT_BASE_URL = 'https://api.anthropic.com/v1';
const API_VERSION = '2023-06-01';
const MODELS_PER_PAGE = 1000;

/** Anthropic's Messages API through `@ai-sdk/anthropic`, which is loaded at the first call. */
export class AnthropicAdapter extends AiSdkAdapter {
  readonly provider = 'anthropic';
  protected readonly vendor: AiSdkVendor;
  readonly #baseUrl: string;

  constructor(
    private readonly settings: ProviderSettings,
    shared: AiSdkShared = {},
  ) {
    super(shared);
    this.#baseUrl = versionedUrl(settings.baseUrl ?? DEFAULT_BASE_URL, 'v1');
    this.vendor = {
      provider: this.provider,
      apiKey: settings.apiKey,
      requestIdHeaders: ANTHROPIC_REQUEST_ID_HEADERS,
      ...ANTHROPIC_FIELDS,
      faultOf: anthropicFault,
      partOptions: anthropicPartOptions,
      usage: anthropicUsage,
      earlyUsage: anthropicEarlyUsage,
      load: lazyPackage('@ai-sdk/anthropic', () => this.#load()),
      refine: (request, call) => this.#refine(request, call),
      recall: (options, call) => this.#recall(options, call),
      watch: (call) => new ThinkingWatch(this.provider, call, this.thoughts),
    };
  }

  async listModels(signal: AbortSignal): Promise<readonly string[]> {
    const headers = { 'x-api-key': this.settings.apiKey ?? '', 'anthropic-version': API_VERSION };
    const ids: string[] = [];
    let page: JsonObject = { has_more: true };
    while (page.has_more === true) {
      const after = typeof page.last_id === 'string' ? `&after_id=${encodeURIComponent(page.last_id)}` : '';
      page = await this.getJson(`${this.#baseUrl}/models?limit=${MODELS_PER_PAGE}${after}`, headers, signal);
      const before = ids.length;
      ids.push(...modelIds(page));
      if (ids.length === before) break;
    }
    return ids;
  }

  withSettings(settings: ProviderSettings): ProviderAdapter {
    return new AnthropicAdapter(settings, this.own);
  }

  async #load(): Promise<ModelFactory> {
    const { createAnthropic } = await import('@ai-sdk/anthropic');
    const { apiKey = '' } = this.settings;
    return (upstreamId, fetch) => createAnthropic({ baseURL: this.#baseUrl, apiKey, fetch })(upstreamId);
  }

  async #refine(request: ConvertedRequest, call: ChatCall): Promise<ConvertedRequest> {
    const { options, warnings } = request;
    if (!thinks(options)) return refineForAnthropic(request, call, true);
    const { provider: namespace, thoughts } = this;
    const prompt = await recallThinking(options.prompt, { namespace, call, thoughts });
    // The library's own table of models.
    const { getModelCapabilities } = await import('@ai-sdk/anthropic/internal');
    const { supportsAdaptiveThinking } = getModelCapabilities(call.model.upstreamId);
    return refineForAnthropic({ options: { ...options, prompt }, warnings }, call, supportsAdaptiveThinking);
  }

  async #recall(options: ConvertedRequest['options'], call: RecallCall): Promise<readonly KeptThought[]> {
    if (!thinks(options)) return [];
    return [...(await thinkingFor(options.prompt, call, this.thoughts)).values()];
  }
}

function modelIds(page: JsonObject): string[] {
  const rows = Array.isArray(page.data) ? (page.data as readonly unknown[]) : [];
  return rows.flatMap((row) => (isJsonObject(row) && typeof row.id === 'string' ? [row.id] : []));
}

import type { AwsCredentials, ProviderSettings } from '../../../config/index';
import type {
  ChatCall,
  EmbedCall,
  EmbedResult,
  KeptThought,
  ProviderAdapter,
  RecallCall,
} from '../../provider.port';
import { AiSdkAdapter, type AiSdkShared } from '../ai-sdk/ai-sdk.adapter';
import { lazyPackage } from '../ai-sdk/lazy-package';
import { postForVectors } from '../ai-sdk/post-json';
import { inlineImages } from '../ai-sdk/prompt-images';
import { thinks } from '../ai-sdk/claude-thinking';
import type { ConvertedRequest } from '../ai-sdk/request';
import { recallThinking, thinkingFor, ThinkingWatch } from '../ai-sdk/signed-thinking';
import type { AiSdkVendor, ModelFactory } from '../ai-sdk/vendor';
import { bedrockPartOptions } from './cache-points';
import { type BedrockEndpoint, bedrockEndpoint } from './endpoint';
import { bedrockEmbedBody, bedrockEmbedResult } from './embeddings';
import { BEDROCK_REQUEST_ID_HEADERS, BEDROCK_STOP_REASONS, bedrockErrorType, bedrockFault } from './errors';
import { claudeAbilities, familyOf } from './families';
import { bedrockModelIds } from './list-models';
import { BEDROCK_FIELDS, refineForBedrock } from './request';
import { getHeaders, postHeaders, secretOf } from './credentials';
import { bedrockUsage } from './usage';

type Options = ConvertedRequest['options'];

/** Only for an address that a base URL replaces. */
const NO_REGION = 'us-east-1';

/**
 * Amazon Bedrock's Converse API through `@ai-sdk/amazon-bedrock`, which is loaded at the first call. With AWS keys
 * requests are signed (SigV4), with an API key they carry it; a base URL without either is a proxy that signs itself, and
 * gets no credentials.
 */
export class BedrockAdapter extends AiSdkAdapter {
  readonly provider = 'bedrock';
  protected readonly vendor: AiSdkVendor;
  readonly #endpoint: BedrockEndpoint;

  constructor(
    private readonly settings: ProviderSettings,
    shared: AiSdkShared = {},
  ) {
    super(shared);
    this.#endpoint = bedrockEndpoint(settings.baseUrl, settings.aws?.region ?? NO_REGION);
    this.vendor = {
      provider: this.provider,
      apiKey: secretOf(settings.aws),
      requestIdHeaders: BEDROCK_REQUEST_ID_HEADERS,
      ...BEDROCK_FIELDS,
      faultOf: bedrockFault,
      errorType: bedrockErrorType,
      stopReasons: BEDROCK_STOP_REASONS,
      partOptions: bedrockPartOptions,
      usage: bedrockUsage,
      // The usage stands in the last event of a stream only.
      earlyUsage: () => undefined,
      load: lazyPackage('@ai-sdk/amazon-bedrock', () => this.#load()),
      refine: (request, call) => this.#refine(request, call),
      recall: (options, call) => this.#recall(options, call),
      watch: (call) => new ThinkingWatch(this.provider, call, this.thoughts),
    };
  }

  embed(call: EmbedCall): Promise<EmbedResult> {
    const { aws } = this.settings;
    const path = `/model/${encodeURIComponent(call.model.upstreamId)}/invoke`;
    const url = new URL(`${this.#endpoint.runtimeUrl}${path}`);
    return postForVectors(url.href, {
      call,
      body: bedrockEmbedBody(call),
      headers: (text) => postHeaders(url, text, aws),
      transport: this.transport,
      dialect: this.vendor,
      read: (received) => bedrockEmbedResult(call, received),
    });
  }

  listModels(signal: AbortSignal): Promise<readonly string[]> {
    const { aws } = this.settings;
    return bedrockModelIds((path) => {
      const url = new URL(`${this.#endpoint.controlUrl}${path}`);
      return this.getJson(url.href, getHeaders(url, aws), signal);
    });
  }

  withSettings(settings: ProviderSettings): ProviderAdapter {
    return new BedrockAdapter(settings, this.own);
  }

  async #load(): Promise<ModelFactory> {
    const { createAmazonBedrock } = await import('@ai-sdk/amazon-bedrock');
    const { aws } = this.settings;
    const baseURL = this.#endpoint.runtimeUrl;
    // Every setting is given, because the library would look for a missing one in the environment by itself.
    return (upstreamId, fetch) =>
      createAmazonBedrock({ baseURL, ...credentialSettings(aws, fetch) })(upstreamId);
  }

  /** Bedrock fetches no images itself. */
  async #refine({ options, warnings }: ConvertedRequest, call: ChatCall): Promise<ConvertedRequest> {
    const claude = await claudeAbilities(call.model.upstreamId);
    const inlined = { ...options, prompt: await inlineImages(options.prompt, this.images, call.signal) };
    const prompt = await this.#thoughtful(inlined, call);
    return refineForBedrock({ options: { ...inlined, prompt }, warnings }, call, claude);
  }

  async #thoughtful(options: Options, call: ChatCall): Promise<Options['prompt']> {
    const { prompt } = options;
    if (!takesThinking(options, call)) return prompt;
    return await recallThinking(prompt, { namespace: this.provider, call, thoughts: this.thoughts });
  }

  async #recall(options: Options, call: RecallCall): Promise<readonly KeptThought[]> {
    if (!takesThinking(options, call)) return [];
    return [...(await thinkingFor(options.prompt, call, this.thoughts)).values()];
  }
}

/** Without tools the calls are sent as text, which needs no thinking before it. */
function takesThinking(options: Options, { model }: RecallCall): boolean {
  return options.tools !== undefined && thinks(options) && familyOf(model.upstreamId) === 'claude';
}

/** The library signs without an API key, and wants one or the other. */
function credentialSettings(aws: AwsCredentials | undefined, fetch: typeof globalThis.fetch) {
  if (!aws) return { apiKey: 'none', fetch: withoutCredentials(fetch) };
  return 'apiKey' in aws ? { apiKey: aws.apiKey, fetch } : { apiKey: '', ...aws, fetch };
}

function withoutCredentials(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return (url, init) => {
    const headers = new Headers(init?.headers);
    headers.delete('authorization');
    return fetch(url, { ...init, headers });
  };
}

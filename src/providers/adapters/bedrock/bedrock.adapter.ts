import type { ProviderSettings } from '../../../config/index';
import { ProviderUnavailableError } from '../../../errors/index';
import type { ChatCall, ChatResult, ChatStream, ProviderAdapter } from '../../provider.port';
import { AiSdkChat } from '../ai-sdk/ai-sdk-chat';
import { getJson } from '../ai-sdk/get-json';
import { ImageLoader } from '../ai-sdk/image-loader';
import type { ConvertedRequest } from '../ai-sdk/request';
import { UndiciTransport } from '../ai-sdk/undici-fetch';
import type { AiSdkVendor, ModelFactory } from '../ai-sdk/vendor';
import { bedrockPartOptions } from './cache-points';
import { type BedrockEndpoint, bedrockEndpoint } from './endpoint';
import { BEDROCK_REQUEST_ID_HEADERS, BEDROCK_STOP_REASONS, bedrockErrorType, bedrockFault } from './errors';
import { claudeAbilities } from './families';
import { bedrockModelIds } from './list-models';
import { BEDROCK_FIELDS, refineForBedrock } from './request';
import { signedGetHeaders } from './signature';
import { bedrockUsage } from './usage';

/** Only for an address that a base URL replaces. */
const NO_REGION = 'us-east-1';

/**
 * Amazon Bedrock's Converse API through `@ai-sdk/amazon-bedrock`, which is loaded at the first call. With AWS keys
 * requests are signed (SigV4); a base URL without keys is a proxy that signs itself, and gets no credentials.
 */
export class BedrockAdapter implements ProviderAdapter {
  readonly provider = 'bedrock';
  readonly #transport = new UndiciTransport();
  readonly #chat: AiSdkChat;
  readonly #vendor: AiSdkVendor;
  readonly #endpoint: BedrockEndpoint;
  #factory?: Promise<ModelFactory>;

  constructor(
    private readonly settings: ProviderSettings,
    private readonly images = new ImageLoader(),
  ) {
    this.#endpoint = bedrockEndpoint(settings.baseUrl, settings.aws?.region ?? NO_REGION);
    this.#vendor = {
      provider: this.provider,
      apiKey: settings.aws?.secretAccessKey,
      requestIdHeaders: BEDROCK_REQUEST_ID_HEADERS,
      ownFields: BEDROCK_FIELDS,
      faultOf: bedrockFault,
      errorType: bedrockErrorType,
      stopReasons: BEDROCK_STOP_REASONS,
      partOptions: bedrockPartOptions,
      usage: bedrockUsage,
      // The usage stands in the last event of a stream only.
      earlyUsage: () => undefined,
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

  listModels(signal: AbortSignal): Promise<readonly string[]> {
    const { aws } = this.settings;
    return bedrockModelIds((path) => {
      const url = new URL(`${this.#endpoint.controlUrl}${path}`);
      return getJson(url.href, {
        headers: aws ? signedGetHeaders(url, 'bedrock', aws) : {},
        signal,
        transport: this.#transport,
        dialect: this.#vendor,
      });
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#transport.close(), this.images.close()]);
  }

  async #load(): Promise<ModelFactory> {
    try {
      const { createAmazonBedrock } = await import('@ai-sdk/amazon-bedrock');
      const { aws } = this.settings;
      const baseURL = this.#endpoint.runtimeUrl;
      // Every setting is given, because the library would look for a missing one in the environment by itself.
      return (upstreamId, fetch) =>
        aws
          ? createAmazonBedrock({ baseURL, apiKey: '', ...aws, fetch })(upstreamId)
          : createAmazonBedrock({ baseURL, apiKey: 'none', fetch: withoutCredentials(fetch) })(upstreamId);
    } catch (error) {
      this.#factory = undefined;
      throw new ProviderUnavailableError(
        'package_missing',
        'The package @ai-sdk/amazon-bedrock cannot be loaded: run npm install',
        { cause: error },
      );
    }
  }

  /** Bedrock fetches no images itself. */
  async #refine({ options, warnings }: ConvertedRequest, call: ChatCall): Promise<ConvertedRequest> {
    const prompt = await this.images.inline(options.prompt, call.signal);
    const claude = await claudeAbilities(call.model.upstreamId);
    return refineForBedrock({ options: { ...options, prompt }, warnings }, call, claude);
  }
}

function withoutCredentials(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return (url, init) => {
    const headers = new Headers(init?.headers);
    headers.delete('authorization');
    return fetch(url, { ...init, headers });
  };
}

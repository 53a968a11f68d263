import type { JsonObject, ProviderId } from '../../../common/index';
import type {
  ChatCall,
  ChatResult,
  ChatStream,
  KeptThought,
  ProviderAdapter,
  RecallCall,
} from '../../provider.port';
import { AiSdkChat } from './ai-sdk-chat';
import { ImageLoader } from '../images/image-loader';
import { getJson } from './get-json';
import { KeptThoughts } from './kept-thoughts';
import { convertRequest } from './request';
import { UndiciTransport } from './undici-fetch';
import type { AiSdkVendor } from './vendor';

/** What adapters share; whoever made a thing closes it. */
export interface AiSdkShared {
  readonly images?: ImageLoader;
  readonly thoughts?: KeptThoughts;
  readonly transport?: UndiciTransport;
}

/** What the adapters over provider packages of the AI SDK have in common; the vendor says the rest. */
export abstract class AiSdkAdapter implements ProviderAdapter {
  abstract readonly provider: ProviderId;
  protected abstract readonly vendor: AiSdkVendor;
  protected readonly images: ImageLoader;
  protected readonly thoughts: KeptThoughts;
  protected readonly transport: UndiciTransport;
  #chat?: AiSdkChat;

  constructor(private readonly shared: AiSdkShared) {
    this.images = shared.images ?? new ImageLoader();
    this.thoughts = shared.thoughts ?? new KeptThoughts();
    this.transport = shared.transport ?? new UndiciTransport();
  }

  async load(): Promise<void> {
    await this.vendor.load();
  }

  chat(call: ChatCall): Promise<ChatResult> {
    return this.#calls().chat(call);
  }

  chatStream(call: ChatCall): Promise<ChatStream> {
    return this.#calls().chatStream(call);
  }

  async recall(call: RecallCall): Promise<readonly KeptThought[]> {
    const { vendor } = this;
    return (await vendor.recall?.(convertRequest(call.body, call.model, vendor).options, call)) ?? [];
  }

  async close(): Promise<void> {
    if (!this.shared.transport) await this.transport.close();
    if (!this.shared.images) await this.images.close();
  }

  /** For another adapter of the same provider. */
  protected get own(): AiSdkShared {
    return { images: this.images, thoughts: this.thoughts, transport: this.transport };
  }

  protected getJson(
    url: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<JsonObject> {
    return getJson(url, { headers, signal, transport: this.transport, dialect: this.vendor });
  }

  #calls(): AiSdkChat {
    return (this.#chat ??= new AiSdkChat(this.vendor, this.transport));
  }
}

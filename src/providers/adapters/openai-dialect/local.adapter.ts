import { isJsonObject, type JsonObject, type JsonValue } from '../../../common/index';
import type { ProviderSettings } from '../../../config/index';
import { ValidationError } from '../../../errors/index';
import { ProviderError } from '../../provider.errors';
import type { ChatCall, ChatResult, ChatStream, ModelFacts } from '../../provider.port';
import { ImageLoader } from '../images/image-loader';
import { inlineImages } from './body-images';
import { OpenAiDialectAdapter } from './openai-dialect.adapter';
import { text } from './response';

const UNKNOWN: ModelFacts = Object.freeze({ canChat: true });

/** What adapters share; whoever made a thing closes it. */
interface LocalShared {
  readonly images?: ImageLoader;
}

/**
 * Ollama through its /v1, which takes images by `data:` URL only, and what its own `/api/show` tells of a model. Other
 * local servers work without that.
 */
export class LocalAdapter extends OpenAiDialectAdapter {
  private readonly images: ImageLoader;

  constructor(
    settings: ProviderSettings,
    private readonly shared: LocalShared = {},
  ) {
    super('local', settings);
    this.images = shared.images ?? new ImageLoader();
  }

  override async chat(call: ChatCall): Promise<ChatResult> {
    return await super.chat(await this.withImages(call));
  }

  override async chatStream(call: ChatCall): Promise<ChatStream> {
    return await super.chatStream(await this.withImages(call));
  }

  override async close(): Promise<void> {
    await super.close();
    if (!this.shared.images) await this.images.close();
  }

  async describeModel(id: string, signal: AbortSignal): Promise<ModelFacts> {
    const path = `${this.basePath}/api/show`;
    try {
      const shown = await this.ask({ method: 'POST', path, body: JSON.stringify({ model: id }) }, signal);
      return modelFacts(shown);
    } catch {
      return UNKNOWN;
    }
  }

  private async withImages(call: ChatCall): Promise<ChatCall> {
    try {
      return { ...call, body: await inlineImages(call.body, this.images, call.signal) };
    } catch (error) {
      // A cancelled call is ended where all of them are.
      if (call.signal.aborted) return call;
      throw error instanceof ValidationError ? unsendable(error) : error;
    }
  }

  /** What stands before /v1. */
  private get basePath(): string {
    return this.endpoint.modelsPath.replace(/(\/v1)?\/models.*$/, '');
  }
}

function unsendable({ message, param }: ValidationError): ProviderError {
  return new ProviderError(`local cannot be sent this request: ${message}`, {
    provider: 'local',
    fault: 'invalid_request',
    param,
    mayBeBilled: false,
  });
}

/**
 * The usable context is `num_ctx`, not what the model was trained for: without that setting the server decides by its
 * memory, so it stays unknown.
 */
export function modelFacts(shown: JsonObject): ModelFacts {
  const { capabilities } = shown;
  if (!Array.isArray(capabilities)) return UNKNOWN;
  const can = (name: string): boolean => capabilities.includes(name);
  if (can('embedding') && !can('completion')) return { canChat: false, embedding: embeddingFacts(shown) };
  return {
    canChat: can('completion'),
    tools: can('tools'),
    vision: can('vision'),
    reasoning: can('thinking'),
    contextWindowTokens: contextOf(shown),
  };
}

function contextOf(shown: JsonObject): number | undefined {
  const set = /^num_ctx\s+(\d+)/m.exec(text(shown.parameters) ?? '')?.[1];
  if (set === undefined) return undefined;
  const trained = isJsonObject(shown.model_info) ? trainedContext(shown.model_info) : undefined;
  return Math.min(Number(set), trained ?? Number(set));
}

function embeddingFacts(shown: JsonObject): ModelFacts['embedding'] {
  const info = isJsonObject(shown.model_info) ? shown.model_info : {};
  const dimensions = figureOf(info, '.embedding_length');
  return { dimensions, maxInputTokens: contextOf(shown) ?? trainedContext(info) };
}

function trainedContext(info: JsonObject): number | undefined {
  return figureOf(info, '.context_length');
}

function figureOf(info: JsonObject, name: string): number | undefined {
  const entry = Object.entries(info).find(([key]) => key.endsWith(name));
  const value: JsonValue | undefined = entry?.[1];
  return typeof value === 'number' && value > 0 ? value : undefined;
}

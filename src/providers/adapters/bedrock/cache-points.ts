import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider';
import { isJsonObject, type JsonObject } from '../../../common/index';
import type { BedrockFamily } from './families';

const CACHING: readonly BedrockFamily[] = ['claude', 'nova', 'nova 2'];

/** `cache_control`, as clients write it for Anthropic, becomes a cache point behind the same part. */
export function bedrockPartOptions(part: JsonObject): SharedV4ProviderOptions | undefined {
  const { cache_control: cacheControl } = part;
  if (!isJsonObject(cacheControl)) return undefined;
  const ttl = cacheControl.ttl === '1h' ? { ttl: '1h' } : {};
  return { amazonBedrock: { cachePoint: { type: 'default', ...ttl } } };
}

/** Models that cannot cache refuse a request with cache points, which are the only options that parts have here. */
export function withCachePointsFor(
  family: BedrockFamily,
  prompt: LanguageModelV4Prompt,
  warnings: string[],
): LanguageModelV4Prompt {
  if (CACHING.includes(family) || !prompt.some(hasOptions)) return prompt;
  warnings.push('cache_control is not supported by this model and was left out');
  return prompt.map(withoutOptions);
}

function hasOptions({ providerOptions, content }: LanguageModelV4Message): boolean {
  if (providerOptions) return true;
  return typeof content !== 'string' && content.some((part) => part.providerOptions !== undefined);
}

function withoutOptions(message: LanguageModelV4Message): LanguageModelV4Message {
  const { content } = message;
  const bare =
    typeof content === 'string' ? content : content.map((part) => ({ ...part, providerOptions: undefined }));
  // The parts stay those of their role, which a map over the union of roles cannot tell.
  return { ...message, content: bare, providerOptions: undefined } as LanguageModelV4Message;
}

import type { LanguageModelV4CallOptions, SharedV4ProviderOptions } from '@ai-sdk/provider';
import { type ChatBody, isJsonObject, type JsonObject } from '../../../common/index';
import type { ChatCall } from '../../provider.port';
import { withLeadingSystem } from '../ai-sdk/leading-system';
import type { ConvertedRequest } from '../ai-sdk/request';

/** Fields that this file reads from the body. */
export const ANTHROPIC_FIELDS = ['parallel_tool_calls', 'service_tier'] as const;

const MIN_THINKING_TOKENS = 1024;
/** Room for the answer itself beside the thinking. */
const MIN_ANSWER_TOKENS = 256;
const SHARE_OF_LIMIT: Readonly<Record<string, number>> = { minimal: 0.1, low: 0.2, medium: 0.5, high: 0.8 };
const LARGEST_SHARE = 0.9;

type AnthropicOptions = SharedV4ProviderOptions[string];
type Options = LanguageModelV4CallOptions;

/** `cache_control` that a client wrote beside a message, a part or a tool goes to the same place upstream. */
export function anthropicPartOptions(part: JsonObject): SharedV4ProviderOptions | undefined {
  const { cache_control: cacheControl } = part;
  return isJsonObject(cacheControl)
    ? { anthropic: { cacheControl: cacheControl as AnthropicOptions[string] } }
    : undefined;
}

/** `hasAdaptiveThinking` tells whether the model takes an effort; older ones take a budget of tokens. */
export function refineForAnthropic(
  request: ConvertedRequest,
  call: ChatCall,
  hasAdaptiveThinking: boolean,
): ConvertedRequest {
  const warnings = [...request.warnings];
  const prompt = withLeadingSystem(request.options.prompt, warnings);
  const options = { ...request.options, prompt };
  const anthropic: AnthropicOptions = { toolStreaming: false, ...ownOptions(call.body) };
  const thinking = hasAdaptiveThinking ? {} : budgetThinking(options, warnings);
  return {
    warnings,
    options: {
      ...options,
      ...thinking.options,
      providerOptions: { anthropic: { ...anthropic, ...thinking.anthropic } },
    },
  };
}

function ownOptions(body: ChatBody): AnthropicOptions {
  const { parallel_tool_calls: parallel, service_tier: tier } = body;
  return {
    ...(parallel === false && { disableParallelToolUse: true }),
    ...(tier === 'auto' && { serviceTier: 'auto' }),
    ...(tier === 'default' && { serviceTier: 'standard_only' }),
  };
}

export interface Thinking {
  readonly options?: Partial<Options>;
  readonly anthropic?: AnthropicOptions;
}

/**
 * The library would add the budget on top of the output limit. The limit is what the caller asked for and what was
 * reserved, so the budget is taken out of it.
 */
export function budgetThinking(options: Options, warnings: string[]): Thinking {
  const { reasoning, maxOutputTokens = 0 } = options;
  if (!reasoning || reasoning === 'none') return {};
  const refusal = thinkingRefusal(options);
  if (refusal) {
    warnings.push(`reasoning_effort was left out: ${refusal}`);
    return { options: { reasoning: undefined } };
  }
  const wanted = Math.floor(maxOutputTokens * (SHARE_OF_LIMIT[reasoning] ?? LARGEST_SHARE));
  const budgetTokens = Math.min(maxOutputTokens - MIN_ANSWER_TOKENS, Math.max(MIN_THINKING_TOKENS, wanted));
  return {
    options: { reasoning: undefined, maxOutputTokens: maxOutputTokens - budgetTokens },
    anthropic: { thinking: { type: 'enabled', budgetTokens } },
  };
}

function thinkingRefusal({ maxOutputTokens = 0, prompt }: Options): string | undefined {
  if (maxOutputTokens < MIN_THINKING_TOKENS + MIN_ANSWER_TOKENS) {
    return `this model thinks with at least ${MIN_THINKING_TOKENS} tokens, which max_tokens does not leave`;
  }
  // A turn with tool calls has to be continued with its signed thoughts, and OpenAI's dialect does not carry them.
  if (prompt.at(-1)?.role === 'tool') return 'this model cannot think on in the middle of a tool round';
  return undefined;
}

import type { SharedV4ProviderOptions } from '@ai-sdk/provider';
import { type ChatBody, isJsonObject, type JsonObject } from '../../../common/index';
import type { ChatCall } from '../../provider.port';
import { budgetThinking } from '../ai-sdk/claude-thinking';
import { withLeadingSystem } from '../ai-sdk/leading-system';
import type { ConvertedRequest } from '../ai-sdk/request';

/** Fields that this file reads from the body. */
export const ANTHROPIC_FIELDS = ['parallel_tool_calls', 'service_tier'] as const;

type AnthropicOptions = SharedV4ProviderOptions[string];

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

import type { SharedV4ProviderOptions } from '@ai-sdk/provider';
import { type ChatBody, isJsonObject, type JsonObject } from '../../../common/index';
import type { ChatCall } from '../../provider.port';
import { budgetThinking } from '../ai-sdk/claude-thinking';
import { withLeadingSystem } from '../ai-sdk/leading-system';
import type { ConvertedRequest } from '../ai-sdk/request';
import type { OwnFields } from '../ai-sdk/unread-fields';

/** Read by this file. */
export const ANTHROPIC_FIELDS: OwnFields = {
  ownFields: ['parallel_tool_calls', 'service_tier', 'safety_identifier', 'user'],
  partFields: ['cache_control'],
  fileFields: ['filename'],
};

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
  const anthropic: AnthropicOptions = { toolStreaming: false, ...ownOptions(call.body, warnings) };
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

function ownOptions(body: ChatBody, warnings: string[]): AnthropicOptions {
  return {
    ...(body.parallel_tool_calls === false && { disableParallelToolUse: true }),
    ...tierOptions(body, warnings),
    ...userOptions(body, warnings),
  };
}

function tierOptions({ service_tier: tier }: ChatBody, warnings: string[]): AnthropicOptions | undefined {
  if (tier === undefined || tier === null) return undefined;
  if (tier === 'auto') return { serviceTier: 'auto' };
  if (tier === 'default') return { serviceTier: 'standard_only' };
  warnings.push('service_tier of this kind is not supported and was left out');
  return undefined;
}

/** Who asks, as the caller's provider may want to know; `safety_identifier` is OpenAI's newer name of it. */
function userOptions(body: ChatBody, warnings: string[]): AnthropicOptions | undefined {
  const { safety_identifier: safetyIdentifier, user } = body;
  const [userId, other] = [safetyIdentifier, user].filter((id) => typeof id === 'string' && id !== '');
  if (other !== undefined && other !== userId) {
    warnings.push('user was left out: Anthropic takes one identifier, and safety_identifier is sent');
  }
  return userId === undefined ? undefined : { metadata: { userId } };
}

import type { LanguageModelV4CallOptions, SharedV4ProviderOptions } from '@ai-sdk/provider';
import type { ChatBody } from '../../../common/index';
import type { ChatCall } from '../../provider.port';
import { withLeadingSystem } from '../ai-sdk/leading-system';
import type { ConvertedRequest } from '../ai-sdk/request';
import type { OwnFields } from '../ai-sdk/unread-fields';
import { bedrockPartOptions, withCachePointsFor } from './cache-points';
import { type BedrockFamily, type ClaudeAbilities, familyOf } from './families';
import { planReasoning } from './reasoning';
import { withToolTalkAsText } from './tool-talk';

/** Read by this file, and by the cache points. */
export const BEDROCK_FIELDS: OwnFields = {
  ownFields: ['parallel_tool_calls', 'service_tier'],
  partFields: ['cache_control'],
  fileFields: ['filename'],
};

const TIERS: readonly unknown[] = ['default', 'flex', 'priority'];

type Options = LanguageModelV4CallOptions;
type BedrockOptions = SharedV4ProviderOptions[string];

/** `claude` is known of Claude models only. */
export function refineForBedrock(
  request: ConvertedRequest,
  call: ChatCall,
  claude: ClaudeAbilities | undefined,
): ConvertedRequest {
  const warnings = [...request.warnings];
  const family = familyOf(call.model.upstreamId);
  const options = withoutForbidden(request.options, family, warnings);
  const reasoning = planReasoning(options, family, claude, warnings);
  const takesTopK = !reasoning.bedrock && !claude?.rejectsSamplingParameters;
  const amazonBedrock: BedrockOptions = {
    ...tierOptions(call.body, warnings),
    ...reasoning.bedrock,
    ...topKOptions(options.topK, takesTopK ? family : 'other', warnings),
  };
  const isSerial = options.tools !== undefined && call.body.parallel_tool_calls === false;
  if (isSerial && family !== 'claude') {
    warnings.push('parallel_tool_calls: false is not supported by this model and was left out');
  }
  if (call.body.tools?.some(bedrockPartOptions)) {
    warnings.push('tools: cache_control is not supported beside tools and was left out');
  }
  return {
    warnings,
    options: {
      ...options,
      ...reasoning.options,
      topK: undefined,
      responseFormat: responseFormat(options, warnings),
      providerOptions: { amazonBedrock, ...(isSerial && { anthropic: { disableParallelToolUse: true } }) },
    },
  };
}

/** The prompt and the tools in the form that Converse takes them. */
function withoutForbidden(options: Options, family: BedrockFamily, warnings: string[]): Options {
  const prompt = withCachePointsFor(family, withLeadingSystem(options.prompt, warnings), warnings);
  // Converse has no "none" among its tool choices; without tools there is nothing to call.
  if (options.tools && options.toolChoice?.type !== 'none') return { ...options, prompt };
  return {
    ...options,
    prompt: withToolTalkAsText(prompt, warnings),
    tools: undefined,
    toolChoice: undefined,
  };
}

/** The library would put it among Converse's own parameters, where Amazon does not look for it. */
function topKOptions(
  topK: number | undefined,
  family: BedrockFamily,
  warnings: string[],
): BedrockOptions | undefined {
  if (topK === undefined) return undefined;
  if (family === 'claude') return { additionalModelRequestFields: { top_k: topK } };
  if (family === 'nova' || family === 'nova 2') {
    return { additionalModelRequestFields: { inferenceConfig: { topK } } };
  }
  warnings.push('top_k is not supported by this model here and was left out');
  return undefined;
}

function tierOptions({ service_tier: tier }: ChatBody, warnings: string[]): BedrockOptions | undefined {
  if (tier === undefined || tier === null || tier === 'auto') return undefined;
  if (TIERS.includes(tier)) return { serviceTier: tier as string };
  warnings.push('service_tier of this kind is not supported and was left out');
  return undefined;
}

function responseFormat(
  { responseFormat: format }: Options,
  warnings: string[],
): LanguageModelV4CallOptions['responseFormat'] {
  if (format?.type !== 'json' || format.schema) return format;
  warnings.push('response_format: json_object is not supported and was left out; a json_schema is');
  return undefined;
}

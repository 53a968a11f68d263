import type { LanguageModelV4CallOptions, SharedV4ProviderOptions } from '@ai-sdk/provider';
import { budgetThinking } from '../ai-sdk/claude-thinking';
import type { BedrockFamily, ClaudeAbilities } from './families';

type Options = LanguageModelV4CallOptions;
type Effort = NonNullable<Options['reasoning']>;
type BedrockOptions = SharedV4ProviderOptions[string];

export interface ReasoningPlan {
  readonly options: Pick<Options, 'reasoning' | 'maxOutputTokens'>;
  readonly bedrock?: BedrockOptions;
}

/** The most that a family takes. Nova 2 takes more, but then no output limit, which is what was reserved. */
const HIGHEST: Readonly<Partial<Record<BedrockFamily, Effort>>> = { 'nova 2': 'medium', openai: 'high' };
const ASCENDING: readonly Effort[] = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** How a model is asked to think: every maker has a way of its own, and some have none. */
export function planReasoning(
  options: Options,
  family: BedrockFamily,
  claude: ClaudeAbilities | undefined,
  warnings: string[],
): ReasoningPlan {
  const { reasoning, maxOutputTokens } = options;
  if (!reasoning) return { options: { reasoning, maxOutputTokens } };
  if (claude)
    return reasoning === 'none'
      ? { options: { reasoning, maxOutputTokens } }
      : claudePlan(options, claude, warnings);
  const highest = HIGHEST[family];
  if (reasoning === 'none') {
    if (family === 'openai') warnings.push('reasoning_effort: this model cannot be kept from thinking');
    return { options: { reasoning: undefined, maxOutputTokens } };
  }
  if (!highest) {
    warnings.push('reasoning_effort is not supported by this model and was left out');
    return { options: { reasoning: undefined, maxOutputTokens } };
  }
  return { options: { reasoning: atMost(reasoning, highest, warnings), maxOutputTokens } };
}

/**
 * Said in the library's own options: its table of models is older than the one asked here, and a model that it does
 * not know would get a budget beyond the output limit.
 */
function claudePlan(options: Options, claude: ClaudeAbilities, warnings: string[]): ReasoningPlan {
  const { reasoning = 'none', maxOutputTokens } = options;
  if (claude.supportsAdaptiveThinking) {
    const effort = claude.supportsXhighEffort || reasoning !== 'xhigh' ? reasoning : 'high';
    if (effort !== reasoning) warnings.push(adapted(reasoning, effort));
    const maxReasoningEffort = effort === 'minimal' ? 'low' : effort;
    return {
      options: { reasoning: undefined, maxOutputTokens },
      bedrock: { reasoningConfig: { type: 'adaptive', maxReasoningEffort } },
    };
  }
  const { options: limits, anthropic } = budgetThinking(options, warnings);
  return {
    options: { reasoning: undefined, maxOutputTokens, ...limits },
    bedrock: anthropic?.thinking ? { reasoningConfig: anthropic.thinking } : undefined,
  };
}

function atMost(reasoning: Effort, highest: Effort, warnings: string[]): Effort {
  if (ASCENDING.indexOf(reasoning) <= ASCENDING.indexOf(highest)) return reasoning;
  warnings.push(adapted(reasoning, highest));
  return highest;
}

function adapted(asked: Effort, used: Effort): string {
  return `reasoning_effort: ${asked} is not possible with this model here, ${used} was used`;
}

import type { LanguageModelV4CallOptions, SharedV4ProviderOptions } from '@ai-sdk/provider';
import { openTurns } from './signed-thinking';
import { thinkingBudget } from './thinking-budget';

const MIN_THINKING_TOKENS = 1024;

type Options = LanguageModelV4CallOptions;

export interface Thinking {
  readonly options?: Partial<Options>;
  readonly anthropic?: SharedV4ProviderOptions[string];
}

/** Is the model asked to? */
export function thinks({ reasoning }: Options): boolean {
  return reasoning !== undefined && reasoning !== 'none';
}

/**
 * Thinking of the Claude models that take a budget. The library would add the budget on top of the output limit; here it
 * is taken out of it.
 */
export function budgetThinking(options: Options, warnings: string[]): Thinking {
  const { reasoning, maxOutputTokens = 0, prompt } = options;
  if (!reasoning || reasoning === 'none') return {};
  const refuse = (reason: string): Thinking => {
    warnings.push(`reasoning_effort was left out: ${reason}`);
    return { options: { reasoning: undefined } };
  };
  const budgetTokens = thinkingBudget(reasoning, maxOutputTokens, { min: MIN_THINKING_TOKENS });
  if (budgetTokens === undefined) {
    return refuse(
      `this model thinks with at least ${MIN_THINKING_TOKENS} tokens, which max_tokens does not leave`,
    );
  }
  // A turn with tool calls has to be continued with its signed thinking.
  if (prompt.at(-1)?.role === 'tool' && !hasThinking(prompt)) {
    return refuse(
      'what this model thought before its tool calls is not known any more, so it cannot think on',
    );
  }
  return {
    options: { reasoning: undefined, maxOutputTokens: maxOutputTokens - budgetTokens },
    anthropic: { thinking: { type: 'enabled', budgetTokens } },
  };
}

function hasThinking(prompt: Options['prompt']): boolean {
  const turns = openTurns(prompt);
  return turns.length > 0 && turns.every(({ content }) => content[0]?.type === 'reasoning');
}

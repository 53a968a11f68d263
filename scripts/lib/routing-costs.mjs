// What a request is expected to cost before it is answered: prices and usual lengths, learned from calls that are past.

/** In calls: how much it takes to believe a task type's own mean length rather than the model's. */
const PRIOR_CALLS = 20;

/** By model: `expectedCostUsd(promptTokens, taskType)`; `promptTokens` as the product estimates them. */
export function learnCosts(models, prompts) {
  return new Map(models.map((model) => [model, learnModel(model, prompts)]));
}

function learnModel(model, prompts) {
  const calls = prompts.map((prompt) => ({ ...prompt.outcomes.get(model), ...prompt }));
  const prices = pricesOf(calls);
  const tokensPerEstimate = ratio(
    sum(calls, ({ promptTokens }) => promptTokens),
    sum(calls, ({ profile }) => profile.features.estimatedPromptTokens),
  );
  const mean = ratio(
    sum(calls, ({ completionTokens }) => completionTokens),
    calls.length,
  );
  const lengths = new Map();
  for (const { profile, completionTokens } of calls) {
    const { count, tokens } = lengths.get(profile.taskType) ?? { count: 0, tokens: 0 };
    lengths.set(profile.taskType, { count: count + 1, tokens: tokens + completionTokens });
  }
  return (promptTokens, taskType) => {
    const { count, tokens } = lengths.get(taskType) ?? { count: 0, tokens: 0 };
    const completion = (tokens + PRIOR_CALLS * mean) / (count + PRIOR_CALLS);
    return prices.input * promptTokens * tokensPerEstimate + prices.output * completion;
  };
}

/** Least squares over cost = input × prompt tokens + output × completion tokens; one price for both where that fails. */
function pricesOf(calls) {
  const [inIn, outOut, inOut, inCost, outCost] = [
    sum(calls, (one) => one.promptTokens ** 2),
    sum(calls, (one) => one.completionTokens ** 2),
    sum(calls, (one) => one.promptTokens * one.completionTokens),
    sum(calls, (one) => one.promptTokens * one.costUsd),
    sum(calls, (one) => one.completionTokens * one.costUsd),
  ];
  const determinant = inIn * outOut - inOut * inOut;
  if (determinant > 1e-6 * inIn * outOut) {
    const input = (inCost * outOut - outCost * inOut) / determinant;
    const output = (outCost * inIn - inCost * inOut) / determinant;
    if (input >= 0 && output >= 0) return { input, output };
  }
  const tokens = sum(calls, (one) => one.promptTokens + one.completionTokens);
  const both = ratio(
    sum(calls, ({ costUsd }) => costUsd),
    tokens,
  );
  return { input: both, output: both };
}

function sum(list, valueOf) {
  return list.reduce((total, one) => total + valueOf(one), 0);
}

function ratio(one, other) {
  return other === 0 ? 0 : one / other;
}

// What asking a model below a threshold of confidence costs and gains: one row a threshold.

/** How often such a model may be right. */
export const ASSUMED_ACCURACIES = [0.7, 0.8, 0.9, 0.95];
/** Tokens of the question around the prompt, and of the answer. */
const QUESTION_TOKENS = 260;
const ANSWER_TOKENS = 6;
const MAX_PROMPT_CHARS = 1000;
const CHARS_PER_TOKEN = 4;
const TOKENS_PER_MILLION = 1_000_000;

/**
 * @param predictions `{confidence, isRight, chars}`
 * @param price US dollars per million tokens, `{input, output}`
 * @returns per threshold: the share that is asked about, dollars per 1,000 prompts, accuracy of the rest, and accuracy over
 * all for each assumed accuracy of the model
 */
export function semanticCurve(predictions, thresholds, price) {
  return thresholds.map((threshold) => {
    const asked = predictions.filter(({ confidence }) => confidence < threshold);
    const kept = predictions.length - asked.length;
    const right = predictions.filter((one) => one.confidence >= threshold && one.isRight).length;
    const askedShare = share(asked.length, predictions.length);
    return {
      threshold,
      askedShare,
      usdPerThousand: share(1000 * sum(asked.map((one) => costUsd(one, price))), predictions.length),
      keptAccuracy: share(right, kept),
      accuracies: ASSUMED_ACCURACIES.map((accuracy) =>
        share(right + asked.length * accuracy, predictions.length),
      ),
    };
  });
}

function costUsd({ chars }, { input, output }) {
  const promptTokens = QUESTION_TOKENS + Math.min(chars, MAX_PROMPT_CHARS) / CHARS_PER_TOKEN;
  return (promptTokens * input + ANSWER_TOKENS * output) / TOKENS_PER_MILLION;
}

function share(part, whole) {
  return whole === 0 ? 0 : part / whole;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

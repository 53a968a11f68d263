/** Pure arithmetic of what an attempt may cost: bounds of its tokens, the amounts to hold, and the clamp to what was held. */
import { type PriceVersion, upperBoundCost } from '../catalog/index';
import type { PicoUsd } from '../common/index';
import type { HoldAmounts } from '../ledger/index';
import type { PlannedModel } from '../selection/index';

/** The least answer that is worth paying a prompt for. */
const MINIMUM_ANSWER_TOKENS = 16;
/** What an answer without a limit is expected to take, where nothing hard depends on it. */
const EXPECTED_ANSWER_TOKENS = 512;
const SLOPE_TOKENS = 1_000_000;

/** Token figures of the next attempt. `requestedMaxTokens` counts per choice. */
export interface AttemptTokens {
  readonly boundPromptTokens: number;
  readonly estimatedPromptTokens: number;
  readonly requestedMaxTokens?: number;
  readonly choices: number;
  readonly imageCount: number;
  /** The request holds or names files: nobody here knows how long they are. */
  readonly hasFiles: boolean;
}

/** What the analysis counts per image when no model is known yet. */
const IMAGE_TOKENS_COUNTED = 4000;

/** The prompt's bound at this model: some count images far above the usual, and files may fill its window. */
export function boundPromptTokens({ model }: PlannedModel, tokens: AttemptTokens): number {
  const perImage = Math.max(0, (model.maxImageTokens ?? 0) - IMAGE_TOKENS_COUNTED);
  const bound = tokens.boundPromptTokens + tokens.imageCount * perImage;
  return tokens.hasFiles ? Math.max(bound, model.contextWindowTokens) : bound;
}

/** The most that one choice can produce when the request is sent as it is. */
export function boundCompletionTokens(
  planned: PlannedModel,
  tokens: AttemptTokens,
  sentMaxTokens?: number,
): number {
  return (sentMaxTokens ?? tokens.requestedMaxTokens ?? planned.model.maxOutputTokens) * tokens.choices;
}

/** What a provider that limits tokens will count for the next upstream request: many count the whole of `max_tokens` at once. */
export function expectedTokens(
  { model }: PlannedModel,
  { estimatedPromptTokens, requestedMaxTokens, choices }: AttemptTokens,
): { readonly prompt: number; readonly completion: number } {
  const perChoice = requestedMaxTokens ?? EXPECTED_ANSWER_TOKENS;
  return {
    // A file that is guessed to be longer than the window would be refused.
    prompt: Math.min(estimatedPromptTokens, model.contextWindowTokens),
    completion: Math.min(perChoice, model.maxOutputTokens) * choices,
  };
}

function expectedAnswer(tokens: AttemptTokens): number {
  return (
    Math.min(tokens.requestedMaxTokens ?? EXPECTED_ANSWER_TOKENS, EXPECTED_ANSWER_TOKENS) * tokens.choices
  );
}

/** The most an attempt is sent with under a hard budget: what was asked, else the default. */
export function hardMaxTokens(
  planned: PlannedModel,
  tokens: AttemptTokens,
  defaultMaxTokens: number,
): number {
  return tokens.requestedMaxTokens ?? Math.min(defaultMaxTokens, planned.model.maxOutputTokens);
}

/**
 * Worst case over the remaining candidates, minimum and estimate for the one that is sent next (the first).
 * @throws RangeError when there is no candidate.
 */
export function holdAmounts(
  candidates: readonly PlannedModel[],
  tokens: AttemptTokens,
  defaultMaxTokens: number,
): HoldAmounts {
  const [next] = candidates;
  if (!next) throw new RangeError('No candidate to hold money for');
  let worst = 0n;
  for (const planned of candidates) {
    const completion = hardMaxTokens(planned, tokens, defaultMaxTokens) * tokens.choices;
    const cost = costBound(planned.price, boundPromptTokens(planned, tokens), completion);
    if (cost > worst) worst = cost;
  }
  const least =
    Math.min(MINIMUM_ANSWER_TOKENS, hardMaxTokens(next, tokens, defaultMaxTokens)) * tokens.choices;
  const expected = expectedAnswer(tokens);
  return {
    worstPicoUsd: worst,
    minimumPicoUsd: costBound(next.price, boundPromptTokens(next, tokens), least),
    estimatePicoUsd: costBound(next.price, tokens.estimatedPromptTokens, expected),
    estimateTokens: tokens.estimatedPromptTokens + expected,
  };
}

function costBound(price: PriceVersion | undefined, promptTokens: number, completionTokens: number): PicoUsd {
  return price ? upperBoundCost(price, promptTokens, completionTokens) : 0n;
}

/** The output limit per choice that the held amount can pay at this model's price; the asked limit when that fits. */
export function affordableMaxTokens(
  planned: PlannedModel,
  tokens: AttemptTokens,
  asked: { readonly maxTokens: number; readonly heldPicoUsd: PicoUsd },
): number {
  const { price } = planned;
  if (!price) return asked.maxTokens;
  const promptTokens = boundPromptTokens(planned, tokens);
  const promptCost = upperBoundCost(price, promptTokens, 0);
  const perMillion = upperBoundCost(price, promptTokens, SLOPE_TOKENS) - promptCost;
  if (perMillion === 0n) return asked.maxTokens;
  const left = asked.heldPicoUsd - promptCost;
  const affordable = left <= 0n ? 0n : (left * BigInt(SLOPE_TOKENS)) / (perMillion * BigInt(tokens.choices));
  return affordable < BigInt(asked.maxTokens) ? Number(affordable) : asked.maxTokens;
}

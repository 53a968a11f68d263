/** Pure checks of what a provider claims against what was sent, received and held. */
import { isJsonObject, type JsonValue, type PicoUsd, type TokenUsage } from '../common/index';

export interface UsageClaim {
  readonly usage: TokenUsage;
  /** The provider's own usage object; its total is compared where it names one. */
  readonly rawUsage?: JsonValue;
  /** The output limit that went upstream, times the number of choices. */
  readonly maxTokensSent?: number;
  readonly isHard: boolean;
  readonly heldPicoUsd: PicoUsd;
  /** UTF-8 bytes of answer text and tool arguments that arrived. */
  readonly answerBytes: number;
  /** Prices a usage; undefined when the price is unknown. */
  readonly cost: (usage: TokenUsage) => PicoUsd | undefined;
}

export interface ReconciledUsage {
  /** The claim, with the larger figure wherever two disagree. */
  readonly usage: TokenUsage;
  readonly disputes: readonly string[];
}

const BYTES_PER_TOKEN = 4;
const TOTAL_FIELDS = ['total_tokens', 'totalTokens', 'totalTokenCount'] as const;

type Figures = { -readonly [Name in keyof TokenUsage]: number | undefined };

/** Corrects a claim to the larger figures and says what did not agree; an empty list when all did. */
export function reconcileUsage(claim: UsageClaim): ReconciledUsage {
  const disputes: string[] = [];
  const usage = countsOnly(claim.usage, disputes);
  raisePrompt(usage, disputes);
  raiseCompletion(usage, claim, disputes);
  raiseToTotal(usage, claim.rawUsage, disputes);
  checkLimits(usage, claim, disputes);
  return { usage, disputes };
}

function countsOnly(claimed: TokenUsage, disputes: string[]): Figures {
  const usage: Figures = { ...claimed };
  for (const name of Object.keys(usage) as (keyof TokenUsage)[]) {
    const value = usage[name];
    if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) continue;
    disputes.push(`${name} is not a count`);
    usage[name] = value > 0 && Number.isSafeInteger(Math.ceil(value)) ? Math.ceil(value) : undefined;
  }
  return usage;
}

function raisePrompt(usage: Figures, disputes: string[]): void {
  const writes = Math.max(usage.cacheWriteTokens ?? 0, usage.cacheWriteOneHourTokens ?? 0);
  if (usage.cacheWriteTokens !== undefined && writes > usage.cacheWriteTokens) {
    disputes.push(`one-hour cache writes ${writes} exceed cache writes ${usage.cacheWriteTokens}`);
    usage.cacheWriteTokens = writes;
  }
  const cached = (usage.cachedReadTokens ?? 0) + writes;
  if (usage.promptTokens === undefined || cached <= usage.promptTokens) return;
  disputes.push(`cached tokens ${cached} exceed prompt tokens ${usage.promptTokens}`);
  usage.promptTokens = cached;
}

function raiseCompletion(
  usage: Figures,
  { usage: claimed, answerBytes }: UsageClaim,
  disputes: string[],
): void {
  // A figure that is no count says nothing of an answer that has arrived.
  if (usage.completionTokens === undefined && claimed.completionTokens !== undefined && answerBytes > 0) {
    usage.completionTokens = Math.ceil(answerBytes / BYTES_PER_TOKEN);
  }
  const { completionTokens, reasoningTokens = 0 } = usage;
  if (completionTokens === undefined) return;
  if (reasoningTokens > completionTokens) {
    disputes.push(`reasoning tokens ${reasoningTokens} exceed completion tokens ${completionTokens}`);
    usage.completionTokens = reasoningTokens;
  }
  if (answerBytes > 0 && usage.completionTokens === 0) {
    disputes.push('zero usage for an answer that is not empty');
    usage.completionTokens = Math.ceil(answerBytes / BYTES_PER_TOKEN);
  }
}

/** What the total has more than its parts is booked as completion, the dearer kind. */
function raiseToTotal(usage: Figures, rawUsage: JsonValue | undefined, disputes: string[]): void {
  const total = totalOf(rawUsage);
  const { promptTokens, completionTokens } = usage;
  if (total === undefined || promptTokens === undefined || completionTokens === undefined) return;
  const sum = promptTokens + completionTokens;
  if (total === sum) return;
  disputes.push(`total tokens ${total} differ from prompt plus completion tokens ${sum}`);
  if (total > sum) usage.completionTokens = total - promptTokens;
}

function totalOf(rawUsage: JsonValue | undefined): number | undefined {
  if (!isJsonObject(rawUsage)) return undefined;
  const total = TOTAL_FIELDS.map((name) => rawUsage[name]).find((value) => typeof value === 'number');
  return typeof total === 'number' && Number.isSafeInteger(total) && total >= 0 ? total : undefined;
}

function checkLimits(usage: Figures, claim: UsageClaim, disputes: string[]): void {
  const { completionTokens } = usage;
  const { maxTokensSent, heldPicoUsd } = claim;
  if (maxTokensSent !== undefined && completionTokens !== undefined && completionTokens > maxTokensSent) {
    disputes.push(`completion tokens ${completionTokens} exceed the ${maxTokensSent} that were allowed`);
  }
  const cost = claim.isHard ? claim.cost(usage) : undefined;
  if (cost !== undefined && cost > heldPicoUsd) {
    disputes.push(`cost ${cost} exceeds the held ${heldPicoUsd} pico-USD`);
  }
}

/** Holds the ledger's lines against the truth provider's log: attempt by attempt, token by token, pico by pico. */
import type { Attempt } from '../truth-provider/truth-provider';
import type { BookedLine } from './books';
import type { ProofModel } from './models';
import { oracleCost } from './price-oracle';

export interface AuditInput {
  readonly attempts: readonly Attempt[];
  readonly lines: readonly BookedLine[];
  readonly models: readonly ProofModel[];
  readonly priceVersions: ReadonlyMap<string, number>;
  /** Whether a line may stand without an attempt in the log. */
  readonly mayStandAlone: (line: BookedLine) => boolean;
}

export interface Audit {
  /** What does not agree, in words. */
  readonly faults: readonly string[];
  readonly attempts: number;
  /** Lines that equal the log to the last token and pico-USD. */
  readonly exact: number;
  /** Labelled upper bounds, none below the truth. */
  readonly bounded: number;
  /** Attempts without a line; faults, all of them. */
  readonly missing: number;
  /** Lines of answers that were given again; nobody was asked for them and nothing was paid. */
  readonly reused: number;
  /** Other lines without an attempt. */
  readonly alone: readonly BookedLine[];
  readonly chargedPico: bigint;
  readonly bookedPico: bigint;
  /** Sums over the exact lines only. */
  readonly exactChargedPico: bigint;
  readonly exactBookedPico: bigint;
}

const NO_LINE = 'an attempt without a line';
const REUSED: readonly string[] = ['cached', 'shared'];

export function audit(input: AuditInput): Audit {
  const faults: string[] = [];
  const lines = new Map(input.lines.map((line) => [`${line.requestId} ${line.attempt}`, line]));
  const numbers = new Map<string, number>();
  const sums = {
    exact: 0,
    bounded: 0,
    missing: 0,
    charged: 0n,
    booked: 0n,
    exactCharged: 0n,
    exactBooked: 0n,
  };
  for (const attempt of input.attempts) {
    const requestId = attempt.requestId ?? '';
    const number = (numbers.get(requestId) ?? 0) + 1;
    numbers.set(requestId, number);
    const name = `${requestId} ${number}`;
    const line = lines.get(name);
    lines.delete(name);
    const charged = chargeOf(attempt, input.models);
    sums.charged += charged;
    const found = line ? faultsOf(attempt, line, input, charged) : [NO_LINE];
    for (const fault of found) faults.push(`${name}: ${fault}: ${JSON.stringify(pairOf(attempt, line))}`);
    if (!line) sums.missing += 1;
    else if (line.usageSource === 'upper_bound') sums.bounded += 1;
    else {
      sums.exact += 1;
      sums.exactCharged += charged;
      sums.exactBooked += line.costPico ?? 0n;
    }
  }
  for (const line of input.lines) sums.booked += line.costPico ?? 0n;
  const [reused, alone] = split([...lines.values()], ({ usageSource }) => REUSED.includes(usageSource));
  const told = new Set(input.attempts.map(({ requestId }) => requestId));
  for (const line of reused) {
    if (
      line.costPico !== 0n ||
      line.prompt + line.completion + line.cachedRead > 0 ||
      told.has(line.requestId)
    ) {
      faults.push(`an answer given again that was not free: ${JSON.stringify(pairOf(undefined, line))}`);
    }
  }
  for (const line of alone) {
    if (!input.mayStandAlone(line)) {
      faults.push(`a line without an attempt: ${JSON.stringify(pairOf(undefined, line))}`);
    }
  }
  return {
    faults,
    attempts: input.attempts.length,
    exact: sums.exact,
    bounded: sums.bounded,
    missing: sums.missing,
    reused: reused.length,
    alone,
    chargedPico: sums.charged,
    bookedPico: sums.booked,
    exactChargedPico: sums.exactCharged,
    exactBookedPico: sums.exactBooked,
  };
}

function split<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

function modelOf(attempt: Attempt, models: readonly ProofModel[]): ProofModel {
  const model = models.find(({ upstreamId }) => upstreamId === attempt.model);
  if (!model) throw new Error(`The log speaks of ${attempt.model}, which is no model of this proof`);
  return model;
}

/** The provider's own bill for one attempt. */
function chargeOf(attempt: Attempt, models: readonly ProofModel[]): bigint {
  const { promptTokens: prompt, cachedTokens: cachedRead, completionTokens: completion } = attempt;
  return oracleCost(modelOf(attempt, models).price, { prompt, cachedRead, completion });
}

function faultsOf(attempt: Attempt, line: BookedLine, input: AuditInput, charged: bigint): string[] {
  const faults: string[] = [];
  const model = modelOf(attempt, input.models);
  if (line.model !== model.id) faults.push('another model');
  if (line.priceVersion !== input.priceVersions.get(model.id)) faults.push('another price version');
  if (line.disputes) faults.push('disputed, though the provider is honest');
  const cost = line.costPico;
  if (cost === null) return [...faults, 'no cost'];
  if (charged > 0n && cost === 0n) faults.push('free, though charged');
  switch (line.usageSource) {
    case 'provider':
      if (line.prompt !== attempt.promptTokens) faults.push('other prompt tokens');
      if (line.completion !== attempt.completionTokens) faults.push('other completion tokens');
      if (line.cachedRead !== attempt.cachedTokens) faults.push('other cached tokens');
      if (cost !== charged) faults.push(`cost ${cost} instead of ${charged}`);
      break;
    case 'upper_bound':
      if (line.prompt < attempt.promptTokens) faults.push('a bound below the prompt tokens');
      if (line.completion < attempt.completionTokens) faults.push('a bound below the completion tokens');
      if (cost < charged) faults.push(`a bound of ${cost} below ${charged}`);
      break;
    default:
      faults.push(`figures that are ${line.usageSource}`);
  }
  return faults;
}

function pairOf(attempt: Attempt | undefined, line: BookedLine | undefined): object {
  return {
    log: attempt && {
      model: attempt.model,
      outcome: attempt.outcome,
      tokens: [attempt.promptTokens, attempt.cachedTokens, attempt.completionTokens],
    },
    line: line && { ...line, costPico: String(line.costPico) },
  };
}

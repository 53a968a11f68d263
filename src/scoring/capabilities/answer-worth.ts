import { bestWithin, type TargetedModel, worthMore } from '../quality-target';

/** A candidate of a request that is past. */
export interface PastCandidate extends TargetedModel {
  /** How good its answer was, 0..1; the expected quality where nobody knows. */
  readonly score: number;
  /** US dollars. */
  readonly costUsd: number;
  /** Of its request: unlike all that the table knows (`CapabilityTable.isNovel`). */
  readonly isNovel?: boolean;
}

const STEPS_PER_TENFOLD = 40;
const TENFOLDS = 5;
/** To either side. */
const SMOOTHING_STEPS = 4;

export interface AnswerWorth {
  readonly answerWorthUsd: number;
  /** Of the answers chosen around this worth, relative to the best single model. */
  readonly quality: number;
  /** Share of the best single model's cost. */
  readonly costSaved: number;
}

/**
 * What an answer has to be worth for a quality target to hold over these requests: of a fine grid, the worth that saves the most
 * while keeping `quality` of the best single model's. Every request has the same candidates. Undefined when none does.
 *
 * Expected qualities must come from a table that did not see these requests; else they are too good to be true.
 */
export function worthOf(
  requests: readonly (readonly PastCandidate[])[],
  quality: number,
): AnswerWorth | undefined {
  const best = bestSingle(requests);
  if (!best || best.score <= 0 || best.costUsd <= 0) return undefined;
  const usual = best.costUsd / requests.length;
  const reached = Array.from({ length: STEPS_PER_TENFOLD * TENFOLDS + 1 }, (_, step) => {
    const answerWorthUsd = usual * 10 ** (step / STEPS_PER_TENFOLD - 1);
    const sums = chosen(requests, answerWorthUsd);
    return { answerWorthUsd, quality: sums.score / best.score, costSaved: 1 - sums.costUsd / best.costUsd };
  });
  return smoothed(reached)
    .filter((one) => one.quality >= quality)
    .reduce<AnswerWorth | undefined>(
      (most, one) => (most && most.costSaved >= one.costSaved ? most : one),
      undefined,
    );
}

/** A single lucky step is no reason to choose it: each counts as good as those around it. */
function smoothed(steps: readonly AnswerWorth[]): readonly AnswerWorth[] {
  return steps.map((step, place) => {
    const around = steps.slice(Math.max(0, place - SMOOTHING_STEPS), place + SMOOTHING_STEPS + 1);
    const quality = around.reduce((sum, one) => sum + one.quality, 0) / around.length;
    return { ...step, quality };
  });
}

interface Sums {
  readonly score: number;
  readonly costUsd: number;
}

function chosen(requests: readonly (readonly PastCandidate[])[], answerWorthUsd: number): Sums {
  const compare = worthMore(answerWorthUsd);
  const first = (candidates: readonly PastCandidate[]) => {
    const usual = candidates.reduce((best, one) => (compare(one, best) < 0 ? one : best));
    return usual.isNovel ? bestWithin(candidates, usual, answerWorthUsd) : usual;
  };
  return sumOf(requests.filter(({ length }) => length > 0).map(first));
}

function bestSingle(requests: readonly (readonly PastCandidate[])[]): Sums | undefined {
  const ids = requests[0]?.map(({ model }) => model.id) ?? [];
  const sums = ids.map((id) =>
    sumOf(requests.map((candidates) => candidates.find(({ model }) => model.id === id))),
  );
  return sums.sort((one, other) => other.score - one.score || one.costUsd - other.costUsd)[0];
}

function sumOf(chosen: readonly (PastCandidate | undefined)[]): Sums {
  let [score, costUsd] = [0, 0];
  for (const one of chosen) {
    score += one?.score ?? 0;
    costUsd += one?.costUsd ?? 0;
  }
  return { score, costUsd };
}

import { formatUsd } from '../../common/index';
import type { AppError } from '../../errors/index';
import type { CandidateRecord, ChoiceRecord } from './decision-record';
import type { ReplayedCandidateDto, ReplayedChoiceDto } from '../dto/decision-replay.response.dto';

/** A choice in the form callers see. */
export function shownChoice({ strategy, target, candidates, filtered }: ChoiceRecord): ReplayedChoiceDto {
  return {
    model: candidates[0]?.model ?? null,
    strategy,
    target: target ?? null,
    candidates: candidates.map(shownCandidate),
    filtered,
    error: null,
  };
}

/** Nothing could be chosen. */
export function failedChoice({ code, message }: AppError): ReplayedChoiceDto {
  return {
    model: null,
    strategy: null,
    target: null,
    candidates: [],
    filtered: {},
    error: { code, message },
  };
}

function shownCandidate({ model, price, score, quality, costPico }: CandidateRecord): ReplayedCandidateDto {
  const expectedCostUsd = costPico === null ? null : formatUsd(BigInt(costPico));
  return { model, priceVersion: price, score, quality, expectedCostUsd };
}

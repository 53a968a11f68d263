import { type ChatRequest, type JsonObject, toApiId } from '../../common/index';
import { shortHash } from '../../config/index';
import { FACTORS, type FactorWeights, WEIGHED_FACTORS } from '../../scoring/index';
import type { ExecutionPlan, PlannedModel } from '../execution-plan';
import { better, cheaper } from '../../scoring/index';
import { countReasons } from '../refusals';
import { featuresRecord, type FeaturesRecord, needsRecord, taskRecord, type TaskRecord } from './task-record';

const MAX_CANDIDATES = 6;
/** Only of the first ones is it told what their score is made of. */
const MAX_FACTORED = 3;
const MAX_NAMES = 6;
const MAX_NAME_CHARS = 200;
const MAX_ALLOWED_CHARS = 300;
const PICO_PER_USD = 1e12;

/**
 * What is stored of a decision: its inputs, the versions of what decided and the top candidates; the rest follows from
 * these. Small (about 1.5 KB), and without a word of the prompt. stored-decision.ts reads it again.
 */
export interface DecisionRecord extends JsonObject, ChoiceRecord {
  readonly asked: AskedRecord;
  readonly allowed?: readonly string[] | ListDigest;
  readonly task: TaskRecord;
  /** Those of the needs that there are. */
  readonly needs: readonly string[];
  readonly features: FeaturesRecord;
  /** The owner's own weights, in the order of WEIGHED_FACTORS. */
  readonly weights?: readonly number[];
  readonly experiment?: ExperimentRecord;
  readonly providers?: readonly string[];
  readonly scripted?: readonly string[];
  readonly versions: VersionsRecord;
}

/** What was chosen, and from what. A replay must come to the same. */
export interface ChoiceRecord extends JsonObject {
  readonly strategy: string;
  readonly target?: TargetRecord;
  /** In their order; the first was chosen. */
  readonly candidates: readonly CandidateRecord[];
  /** Of all models that could serve a routed request: the one of the best expected quality, and the cheapest. */
  readonly alternatives?: AlternativesRecord;
  /** How many models each reason removed. */
  readonly filtered: Readonly<Record<string, number>>;
}

export interface CandidateRecord extends JsonObject {
  readonly model: string;
  readonly price: number | null;
  readonly score: number;
  /** In the order of FACTORS; names would double the record. Of the first three only. */
  readonly factors?: readonly number[];
  readonly prior?: number;
  readonly quality: number;
  /** Expected, in pico-USD, an estimate; null when the price is unknown. */
  readonly costPico: number | null;
}

interface AskedRecord extends JsonObject {
  readonly model: string;
  readonly taskType?: string;
  readonly fallback?: 'same-model' | 'any' | 'none';
  readonly useDirect?: false | 'only';
  readonly models?: readonly string[];
  readonly quality?: number;
  readonly answerWorthUsd?: number;
}

export interface ListDigest extends JsonObject {
  readonly count: number;
  readonly hash: string;
}

interface TargetRecord extends JsonObject {
  readonly quality: number;
  readonly answerWorthUsd?: number;
  readonly source: 'request' | 'owner' | 'experiment';
  readonly best: number;
  readonly threshold: number;
  readonly isNovel?: true;
}

interface ExperimentRecord extends JsonObject {
  readonly id: string;
  readonly arm: string;
  readonly model?: string;
}

interface AlternativesRecord extends JsonObject {
  readonly best: AlternativeRecord;
  readonly cheapest: AlternativeRecord;
}

interface AlternativeRecord extends JsonObject {
  readonly model: string;
  readonly costPico: number | null;
}

interface VersionsRecord extends JsonObject {
  readonly catalog: string;
  readonly prices: number;
  readonly weights: string;
  readonly guide: string;
  readonly patterns: string;
  readonly classifier: string;
  readonly capabilities: string;
  readonly performance: string;
}

export function decisionRecord(plan: ExecutionPlan, request: ChatRequest): DecisionRecord {
  const { profile, experiment } = plan;
  return {
    asked: askedFor(request),
    allowed: plan.allowedModels && allowedRecord(plan.allowedModels),
    ...choiceRecord(plan),
    task: taskRecord(profile),
    needs: needsRecord(profile),
    features: featuresRecord(profile),
    weights: plan.ownWeights && weightsRecord(plan.ownWeights),
    experiment: experiment && { ...experiment, id: toApiId('exp', experiment.id) },
    providers: plan.providers,
    scripted: plan.scripted,
    versions: { ...plan.versions },
  };
}

/** A long list only by its digest: it stands with the key and, where it was changed since, in the audit log. */
export function allowedRecord(allowedModels: readonly string[]): readonly string[] | ListDigest {
  const text = JSON.stringify(allowedModels);
  if (text.length <= MAX_ALLOWED_CHARS) return allowedModels;
  return { count: allowedModels.length, hash: shortHash(text) };
}

export function choiceRecord(
  plan: Pick<ExecutionPlan, 'strategy' | 'candidates' | 'ranking' | 'filtered' | 'target'>,
): ChoiceRecord {
  const { strategy, candidates, target } = plan;
  return {
    strategy,
    target: target && { ...target, best: round(target.best), threshold: round(target.threshold) },
    candidates: candidates.slice(0, MAX_CANDIDATES).map(candidate),
    alternatives: strategy === 'pinned' ? undefined : alternatives(plan.ranking),
    filtered: { ...countReasons(plan.filtered) },
  };
}

export function weightsRecord(weights: FactorWeights): readonly number[] {
  return WEIGHED_FACTORS.map((factor) => weights[factor]);
}

function askedFor({ body, options }: ChatRequest): AskedRecord {
  return {
    model: body.model.slice(0, MAX_NAME_CHARS),
    taskType: options.taskType?.slice(0, MAX_NAME_CHARS),
    fallback: options.fallback,
    useDirect: options.useDirect === true ? undefined : options.useDirect,
    models: options.models?.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME_CHARS)),
    quality: options.quality,
    answerWorthUsd: options.answerWorthUsd,
  };
}

function candidate(planned: PlannedModel, index: number): CandidateRecord {
  const { model, price, score, factors, prior, quality } = planned;
  return {
    model: model.id,
    price: price?.version ?? null,
    score: round(score),
    factors: index < MAX_FACTORED ? FACTORS.map((factor) => round(factors[factor])) : undefined,
    prior: prior || undefined,
    quality: round(quality),
    costPico: costOf(planned),
  };
}

function alternatives(ranking: readonly PlannedModel[]): AlternativesRecord | undefined {
  const [first] = ranking;
  if (!first) return undefined;
  let best = first;
  let cheapest = first;
  for (const planned of ranking) {
    if (better(planned, best) < 0) best = planned;
    if (cheaper(planned, cheapest) < 0) cheapest = planned;
  }
  return {
    best: { model: best.model.id, costPico: costOf(best) },
    cheapest: { model: cheapest.model.id, costPico: costOf(cheapest) },
  };
}

function costOf({ expectedCostUsd }: PlannedModel): number | null {
  return expectedCostUsd === undefined ? null : Math.round(expectedCostUsd * PICO_PER_USD);
}

/** Three digits tell models apart, and keep decisions short. */
function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

import type { ChatRequest, JsonObject, JsonValue } from '../common/index';
import { shortHash } from '../config/index';
import { FACTORS } from '../scoring/index';
import { FILE_INPUTS } from './constraints';
import type { ExecutionPlan, FactorScores, PlannedModel } from './execution-plan';
import { countReasons } from './refusals';

const MAX_CANDIDATES = 5;
const MAX_PATTERNS = 6;
const MAX_NAMES = 5;
const MAX_NAME_CHARS = 100;
const MAX_ALLOWED_CHARS = 300;

/**
 * What is stored of a decision: its inputs, the versions of what decided and the top candidates; the rest follows from
 * these. Small (about 1 KB), and without a word of the prompt.
 */
export function decisionRecord(plan: ExecutionPlan, request: ChatRequest): JsonObject {
  return {
    asked: askedFor(request),
    allowed: allowed(plan),
    strategy: plan.strategy,
    task: task(plan),
    features: features(plan),
    candidates: plan.candidates.slice(0, MAX_CANDIDATES).map(candidate),
    filtered: { ...countReasons(plan.filtered) },
    providers: plan.providers,
    scripted: plan.scripted,
    versions: { ...plan.versions },
  };
}

function askedFor({ body, options }: ChatRequest): JsonObject {
  return {
    model: body.model.slice(0, MAX_NAME_CHARS),
    taskType: options.taskType?.slice(0, MAX_NAME_CHARS),
    fallback: options.fallback,
    useDirect: options.useDirect === false ? false : undefined,
    models: options.models?.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME_CHARS)),
  };
}

/** A long list only by its digest: it stands with the key and, where it was changed since, in the audit log. */
function allowed({ allowedModels }: ExecutionPlan): JsonValue | undefined {
  const text = JSON.stringify(allowedModels);
  if (allowedModels === undefined || text.length <= MAX_ALLOWED_CHARS) return allowedModels;
  return { count: allowedModels.length, hash: shortHash(text) };
}

function task({ profile }: ExecutionPlan): JsonObject {
  return {
    type: profile.taskType,
    confidence: profile.confidence,
    source: profile.source,
    secondary: Object.fromEntries(profile.secondary.map((type) => [type.taskType, type.confidence])),
    patterns: profile.patterns.slice(0, MAX_PATTERNS),
  };
}

/** Needs that are not there are left out. */
function features({ profile }: ExecutionPlan): JsonObject {
  const { features: known, needs } = profile;
  const files = FILE_INPUTS.filter((kind) => needs[kind]);
  return {
    promptTokens: known.estimatedPromptTokens,
    maxTokens: known.requestedMaxTokens,
    messages: known.messageCount,
    images: known.imageCount || undefined,
    files: files.length > 0 ? files : undefined,
    fileTokens: known.estimatedFileTokens || undefined,
    tools: known.toolCount || undefined,
    code: known.hasCode || undefined,
    json: needs.jsonSchema ? 'schema' : needs.jsonObject ? 'object' : undefined,
    stream: needs.streaming || undefined,
    language: known.language,
    complexity: known.complexity,
  };
}

function candidate({ model, price, score, factors, prior }: PlannedModel): JsonObject {
  return {
    model: model.id,
    price: price?.version ?? null,
    score: round(score),
    factors: roundFactors(factors),
    prior: prior || undefined,
  };
}

/** In the order of FACTORS; names would double the record. */
function roundFactors(factors: FactorScores): readonly number[] {
  return FACTORS.map((factor) => round(factors[factor]));
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

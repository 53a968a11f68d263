/** The task profile as decisions hold it: written and read here, so that nothing is lost in between. No word of the prompt. */
import type { RequestNeeds, SecondaryTaskType, SemanticAnswer, TaskProfile } from '../../analysis/index';
import { fromApiId, type JsonObject, type TaskType, toApiId } from '../../common/index';

const MAX_PATTERNS = 6;

const NEEDS = [
  'vision',
  'document',
  'audio',
  'video',
  'tools',
  'jsonSchema',
  'jsonObject',
  'streaming',
] as const satisfies readonly (keyof RequestNeeds)[];

type Shares = Readonly<Partial<Record<TaskType, number>>>;

export interface TaskRecord extends JsonObject {
  readonly type: TaskType;
  readonly confidence: number;
  readonly source: TaskProfile['source'];
  /** What the local classifier makes of the text; types from 0.01 on. */
  readonly types: Shares;
  /** What counts beside `type`. */
  readonly secondary: Shares;
  readonly patterns: readonly string[];
  /** `TaskProfile.sketch`. */
  readonly sketch?: readonly number[];
  /** What a model said that was asked because the classifier was unsure. */
  readonly semantic?: SemanticRecord;
}

interface SemanticRecord extends JsonObject {
  readonly model: string;
  readonly taskType: TaskType;
  readonly requestId: string;
}

/** What is false or 0 is left out. */
export interface FeaturesRecord extends JsonObject {
  readonly chars: number;
  readonly promptTokens: number;
  readonly boundTokens: number;
  readonly fileTokens?: number;
  readonly maxTokens?: number;
  readonly messages: number;
  readonly images?: number;
  readonly hasFiles?: boolean;
  readonly tools?: number;
  readonly code?: boolean;
  readonly language: string;
  readonly complexity: number;
}

export function taskRecord(profile: TaskProfile): TaskRecord {
  const { semantic } = profile;
  return {
    type: profile.taskType,
    confidence: profile.confidence,
    source: profile.source,
    types: shares(profile.probabilities),
    secondary: shares(profile.secondary),
    patterns: profile.patterns.slice(0, MAX_PATTERNS),
    sketch: profile.sketch,
    semantic: semantic && { ...semantic, requestId: toApiId('req', semantic.requestId) },
  };
}

export function needsRecord({ needs }: TaskProfile): readonly string[] {
  return NEEDS.filter((need) => needs[need]);
}

export function featuresRecord({ features }: TaskProfile): FeaturesRecord {
  return {
    chars: features.promptChars,
    promptTokens: features.estimatedPromptTokens,
    boundTokens: features.boundPromptTokens,
    fileTokens: features.estimatedFileTokens || undefined,
    maxTokens: features.requestedMaxTokens,
    messages: features.messageCount,
    images: features.imageCount || undefined,
    hasFiles: features.hasFiles || undefined,
    tools: features.toolCount || undefined,
    code: features.hasCode || undefined,
    language: features.language,
    complexity: features.complexity,
  };
}

/** Everything that a choice can depend on is there again; of the patterns, the first ones. */
export function profileOf(
  { type, confidence, source, types, secondary, patterns, sketch, semantic }: TaskRecord,
  needs: readonly string[],
  known: FeaturesRecord,
  versions: Pick<TaskProfile, 'patternsVersion' | 'classifierVersion'>,
): TaskProfile {
  return {
    taskType: type,
    confidence,
    source,
    probabilities: fromShares(types),
    secondary: fromShares(secondary),
    patterns,
    ...(sketch && { sketch }),
    semantic: semantic && semanticOf(semantic),
    needs: Object.fromEntries(NEEDS.map((need) => [need, needs.includes(need)])) as Record<
      (typeof NEEDS)[number],
      boolean
    >,
    features: {
      promptChars: known.chars,
      messageCount: known.messages,
      estimatedPromptTokens: known.promptTokens,
      estimatedFileTokens: known.fileTokens ?? 0,
      boundPromptTokens: known.boundTokens,
      requestedMaxTokens: known.maxTokens,
      hasCode: known.code ?? false,
      imageCount: known.images ?? 0,
      hasFiles: known.hasFiles ?? false,
      toolCount: known.tools ?? 0,
      language: known.language,
      complexity: known.complexity,
    },
    ...versions,
  };
}

function semanticOf({ requestId, ...said }: SemanticRecord): SemanticAnswer {
  return { model: said.model, taskType: said.taskType, requestId: fromApiId('req', requestId) ?? requestId };
}

function shares(types: readonly SecondaryTaskType[]): Shares {
  return Object.fromEntries(types.map(({ taskType, confidence }) => [taskType, confidence]));
}

function fromShares(types: Shares): readonly SecondaryTaskType[] {
  return Object.entries(types).map(([taskType, confidence]) => ({
    taskType: taskType as TaskType,
    confidence,
  }));
}

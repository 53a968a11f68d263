import type { TaskType } from '../common/index';

/** What a model must be able to do for this request; follows from its fields alone. */
export interface RequestNeeds {
  readonly vision: boolean;
  readonly tools: boolean;
  readonly jsonSchema: boolean;
  readonly jsonObject: boolean;
  readonly streaming: boolean;
}

export interface TaskFeatures {
  readonly promptChars: number;
  readonly messageCount: number;
  /** Estimate: UTF-8 bytes / 4 × 1.1 plus 1,000 per image. */
  readonly estimatedPromptTokens: number;
  /** Safe upper bound: one per UTF-8 byte plus the message overhead; images by the provider's rule. */
  readonly boundPromptTokens: number;
  readonly requestedMaxTokens?: number;
  readonly hasCode: boolean;
  readonly imageCount: number;
  readonly toolCount: number;
  /** ISO 639-1, `und` when unclear. */
  readonly language: string;
  /** 0 trivial .. 1 hard. */
  readonly complexity: number;
}

/** Computed once per request; pure data, frozen. */
export interface TaskProfile {
  readonly taskType: TaskType;
  /** 0..1. */
  readonly confidence: number;
  readonly secondary: readonly { readonly taskType: TaskType; readonly confidence: number }[];
  readonly needs: RequestNeeds;
  readonly features: TaskFeatures;
  /** Ids of the patterns that matched. */
  readonly patterns: readonly string[];
  /** Where the type came from. */
  readonly source: 'patterns' | 'fields' | 'override' | 'default';
  /** Hash of the pattern file that decided. */
  readonly patternsVersion: string;
}

import type { TaskType } from '../common/index';

/** What a model must be able to do for this request; follows from its fields alone. */
export interface RequestNeeds {
  readonly vision: boolean;
  /** Reads PDFs and other files; `audio` and `video` likewise. */
  readonly document: boolean;
  readonly audio: boolean;
  readonly video: boolean;
  readonly tools: boolean;
  readonly jsonSchema: boolean;
  readonly jsonObject: boolean;
  readonly streaming: boolean;
}

export interface TaskFeatures {
  /** UTF-16 units of the text of all messages. */
  readonly promptChars: number;
  readonly messageCount: number;
  /**
   * Estimate: UTF-8 bytes / 4 × 1.1 plus 1,000 per image plus `estimatedFileTokens`. The bytes are those of the messages'
   * text; with tools, a JSON schema or tool calls in the conversation, those of the whole body without the base64 of its
   * images and files.
   */
  readonly estimatedPromptTokens: number;
  /** The part of it that documents, audio and video are guessed to take by their size. */
  readonly estimatedFileTokens: number;
  /**
   * Safe upper bound: one per UTF-8 byte of the body without the base64 of its images and files (that covers text, names,
   * tool definitions and schema), 8 per message, 1,000 for the provider's own instructions when tools or a schema are
   * present, 4,000 per image. With `hasFiles` only the model's context window bounds the prompt.
   */
  readonly boundPromptTokens: number;
  readonly requestedMaxTokens?: number;
  readonly hasCode: boolean;
  readonly imageCount: number;
  /** Documents, audio or video, or files that the provider keeps: nobody here knows how long they are. */
  readonly hasFiles: boolean;
  /** Client tools and server-side tools together. */
  readonly toolCount: number;
  /** ISO 639-1, `und` when unclear. */
  readonly language: string;
  /** 0 trivial .. 1 hard. */
  readonly complexity: number;
}

export interface SecondaryTaskType {
  readonly taskType: TaskType;
  readonly confidence: number;
}

export interface SemanticAnswer {
  /** Catalog id. */
  readonly model: string;
  readonly taskType: TaskType;
  /** UUID of the request that it was booked as. */
  readonly requestId: string;
}

/** Computed once per request; pure data, frozen. */
export interface TaskProfile {
  readonly taskType: TaskType;
  /** 0..1. */
  readonly confidence: number;
  /** Most confident first. */
  readonly secondary: readonly SecondaryTaskType[];
  readonly needs: RequestNeeds;
  readonly features: TaskFeatures;
  /** Ids of the patterns that matched. */
  readonly patterns: readonly string[];
  /** A few dozen small numbers that tell alike prompts from others. */
  readonly sketch?: readonly number[];
  /** Where the type came from. */
  readonly source: 'classifier' | 'semantic' | 'fields' | 'override' | 'default';
  /** What the local classifier makes of the text: types from 0.01 on, the likeliest first. */
  readonly probabilities: readonly SecondaryTaskType[];
  /** The model that was asked because the local classifier was unsure, and what it said. */
  readonly semantic?: SemanticAnswer;
  /** Hash of the pattern file that was read. */
  readonly patternsVersion: string;
  /** Hash of the weights that decided. */
  readonly classifierVersion: string;
}

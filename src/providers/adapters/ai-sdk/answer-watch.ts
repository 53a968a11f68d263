import type { LanguageModelV4Content, LanguageModelV4StreamPart } from '@ai-sdk/provider';

export type AnswerPart = LanguageModelV4StreamPart | LanguageModelV4Content;

/** Sees the parts of one answer, whole or streamed, for what a later request has to bring back. */
export interface AnswerWatch {
  take(part: AnswerPart): void;
  /** Awaited before the caller learns that the answer is whole. Never rejects. */
  end(): Promise<void>;
}

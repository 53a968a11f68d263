import type { PatternReading, PatternSet } from './pattern-set';
import { type PromptText, promptText, turnText } from './prompt-text';
import { detectLanguage } from './language';

/** What is found in the windows of a conversation before anything is concluded. */
export interface TextReading extends PatternReading {
  /** The windows of the last user message, in their own order. */
  readonly text: string;
  readonly lowered: string;
  /** ISO 639-1, `und` when unclear. */
  readonly language: string;
}

export function readWindows(patterns: PatternSet, windows: PromptText): TextReading {
  const lowered: PromptText = {
    instruction: windows.instruction.toLowerCase(),
    material: windows.material.toLowerCase(),
    earlier: windows.earlier.toLowerCase(),
    system: windows.system.toLowerCase(),
  };
  const language = detectLanguage(lowered.instruction);
  return {
    text: turnText(windows),
    lowered: turnText(lowered),
    language,
    ...patterns.read(lowered, language),
  };
}

/** The same for a prompt that stands alone, for training and measuring. */
export function readPrompt(patterns: PatternSet, prompt: string): TextReading {
  return readWindows(patterns, promptText([{ role: 'user', content: prompt }]));
}

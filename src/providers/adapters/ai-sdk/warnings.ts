import type { SharedV4Warning } from '@ai-sdk/provider';

/** The library's names of call options, as the caller of OpenAI's dialect knows them. */
const DIALECT_NAMES: Readonly<Record<string, string>> = {
  maxOutputTokens: 'max_tokens',
  topP: 'top_p',
  topK: 'top_k',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  stopSequences: 'stop',
  responseFormat: 'response_format',
  toolChoice: 'tool_choice',
  reasoning: 'reasoning_effort',
};

/** A library warning in one sentence that names the parameter as the caller wrote it. */
export function warningText(warning: SharedV4Warning): string {
  switch (warning.type) {
    case 'unsupported':
    case 'compatibility': {
      const name = DIALECT_NAMES[warning.feature] ?? warning.feature;
      const fallback = warning.type === 'unsupported' ? 'is not supported and was left out' : 'was adapted';
      return warning.details ? `${name}: ${warning.details}` : `${name} ${fallback}`;
    }
    case 'deprecated':
      return `${warning.setting}: ${warning.message}`;
    case 'other':
      return warning.message;
    default:
      return warning satisfies never;
  }
}

/** @param words the vendor's own for some of them. */
export function warningTexts(
  warnings: readonly SharedV4Warning[],
  words: { clearWarning?(warning: SharedV4Warning): SharedV4Warning },
): string[] {
  return warnings.map((warning) => warningText(words.clearWarning?.(warning) ?? warning));
}

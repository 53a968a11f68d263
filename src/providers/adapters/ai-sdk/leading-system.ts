import type { LanguageModelV4Prompt } from '@ai-sdk/provider';

/** Few models take instructions between turns; at the front all of them do. */
export function withLeadingSystem(prompt: LanguageModelV4Prompt, warnings: string[]): LanguageModelV4Prompt {
  const system = prompt.filter((message) => message.role === 'system');
  const isLeading = prompt.slice(0, system.length).every((message) => message.role === 'system');
  if (isLeading) return prompt;
  warnings.push('messages: system messages between turns were moved to the front');
  return [...system, ...prompt.filter((message) => message.role !== 'system')];
}

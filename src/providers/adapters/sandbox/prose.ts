import type { SeededRandom } from './seeded-random';

const SENTENCES = [
  'No model was asked and nothing was paid for this answer.',
  'The same request always gets the same answer here.',
  'Set a provider key such as OPENAI_API_KEY to reach a real model.',
  'Budgets, limits, routing and the ledger work here as they do with a real provider.',
  'Every word of this text counts as a token or two, so the books can be checked.',
  'Ask for a tool, a JSON schema or a stream to see how those arrive.',
  'Try sandbox/flaky to watch a request fall over to another model.',
  'The decision behind this answer is stored and can be replayed.',
  'A limit on the output cuts this text and says so in the finish reason.',
  'Send the request again with stream set to true and the words come one by one.',
] as const;

/** Readable filler of exactly `words` words, the opening first; a shorter opening is never repeated. */
export function prose(opening: string, words: number, random: SeededRandom): string {
  const text = opening.split(/\s+/);
  let at = random.below(SENTENCES.length);
  while (text.length < words) {
    text.push(...(SENTENCES[at % SENTENCES.length] ?? '').split(' '));
    at += 1;
  }
  const kept = text.slice(0, words).join(' ');
  return /[.!?]$/.test(kept) ? kept : `${kept.replace(/[,;:]$/, '')}.`;
}

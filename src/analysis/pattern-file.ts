/** The shape of `routing/patterns.yaml`. */
import { z } from 'zod';
import { TASK_TYPES } from '../common/index';

const MAX_REGEX_CHARS = 4_000;
const MAX_WORDS_CHARS = 20_000;
const MAX_PATTERNS = 500;

const id = z.string().regex(/^[a-z][a-z0-9_.-]*$/, 'must be lower case letters, digits, "_", "-" and "."');

const expression = {
  /** Phrases in the syntax of `expandPhrase`, separated by semicolons. */
  words: z.string().min(1).max(MAX_WORDS_CHARS).transform(splitPhrases).optional(),
  /** RE2 syntax, for what phrases cannot say. */
  regex: z
    .string()
    .min(1)
    .max(MAX_REGEX_CHARS)
    .refine(isLowerCase, 'must be lower case: it sees lower-cased text')
    .optional(),
};

const signal = z
  .strictObject(expression)
  .refine((value) => value.words !== undefined || value.regex !== undefined, {
    message: 'needs "words", "regex" or both',
  });

const pattern = z
  .strictObject({
    id,
    taskType: z.enum(TASK_TYPES),
    /** How much one full match says for the type, 0..1. */
    weight: z.number().gt(0).lte(1),
    /** Counts only in texts of these languages; without it, in all. */
    languages: z
      .array(z.string().regex(/^[a-z]{2,3}$/))
      .min(1)
      .optional(),
    ...expression,
    /** Signals that must all have fired. */
    all: z.array(id).min(1).optional(),
    /** Signals of which none may have fired. */
    none: z.array(id).min(1).optional(),
  })
  .refine((value) => value.words !== undefined || value.regex !== undefined || value.all !== undefined, {
    message: 'needs "words", "regex" or "all"',
  });

function splitPhrases(words: string): readonly string[] {
  return words.split(';').map((phrase) => phrase.trim());
}

/** Escapes such as `\S` and classes such as `\p{Lu}` may hold capitals. */
function isLowerCase(regex: string): boolean {
  return !/[A-Z]/.test(regex.replaceAll(/\\[pP]\{[^}]*\}|\\./g, ''));
}

export const patternFileSchema = z.strictObject({
  /** What patterns combine; a signal says nothing alone. */
  signals: z.record(id, signal),
  features: z.strictObject({
    /** Signals that mean: there is code in the prompt. */
    code: z.array(id).min(1),
    /** Signals that each make a task harder. */
    demanding: z.array(id),
    /** Signals that each make it easier. */
    simple: z.array(id),
  }),
  patterns: z.array(pattern).min(1).max(MAX_PATTERNS),
});

export type PatternFile = z.infer<typeof patternFileSchema>;
export type Expression = PatternFile['signals'][string];
export type PatternEntry = PatternFile['patterns'][number];

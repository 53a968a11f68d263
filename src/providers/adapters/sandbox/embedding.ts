import type { EmbeddingInput } from '../../../common/index';
import type { EmbedCall, EmbedResult } from '../../provider.port';
import { embedReport, leftOut } from '../embedding';
import { withoutDirectives } from './directives';
import { fnv1a } from './seeded-random';

const DEFAULT_DIMENSIONS = 512;
const BYTES_PER_TOKEN = 4;
const WORD_WEIGHT = 1;
/** Pieces of a word, so that its other forms are near. */
const TRIGRAM_WEIGHT = 0.5;
const WORDS = /[\p{L}\p{N}]+/gu;

/**
 * Unit vectors without a model: every word, and every three letters of it, has a direction of its own, so texts that
 * share words are near each other. The same text has the same vector everywhere and always.
 */
export function sandboxVectors(call: EmbedCall): EmbedResult {
  const { model, inputs, dimensions = model.embedding?.dimensions ?? DEFAULT_DIMENSIONS } = call;
  return {
    vectors: inputs.map((input) => unitVector(features(input), dimensions)),
    report: embedReport({
      promptTokens: inputs.reduce((sum, input) => sum + tokensOf(input), 0),
      modelServed: model.id,
      warnings: leftOut(call, false),
    }),
  };
}

type Feature = readonly [name: string, weight: number];

function features(input: EmbeddingInput): readonly Feature[] {
  if (typeof input !== 'string') return input.map((id) => [`#${id}`, WORD_WEIGHT]);
  const text = withoutDirectives(input).toLowerCase();
  const words = text.match(WORDS) ?? [];
  // A text of signs only is still told apart from others.
  if (words.length === 0) return [[text, WORD_WEIGHT]];
  return words.flatMap((word) => [[word, WORD_WEIGHT] as const, ...trigrams(` ${word} `)]);
}

function trigrams(word: string): Feature[] {
  return Array.from({ length: word.length - 2 }, (_, at) => [word.slice(at, at + 3), TRIGRAM_WEIGHT]);
}

function unitVector(found: readonly Feature[], dimensions: number): readonly number[] {
  const vector = Array.from({ length: dimensions }, () => 0);
  for (const [name, weight] of found) {
    const at = fnv1a(name) % dimensions;
    const sign = fnv1a(`${name}±`) % 2 === 0 ? 1 : -1;
    vector[at] = (vector[at] ?? 0) + sign * weight;
  }
  const length = Math.hypot(...vector);
  // All directions may have cancelled each other out.
  if (length === 0) return vector.map((_, index) => (index === 0 ? 1 : 0));
  return vector.map((value) => Math.fround(value / length));
}

function tokensOf(input: EmbeddingInput): number {
  return typeof input === 'string' ? Math.ceil(Buffer.byteLength(input) / BYTES_PER_TOKEN) : input.length;
}

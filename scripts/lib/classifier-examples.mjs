// The labelled prompts that the task classifier is trained on: whole ones, and instructions joined with material.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const SEPARATORS = ['\n', '\n\n', '\n\n', ' ', ':\n'];
const LONG_CHARS = 400;

export function readJsonLines(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      try {
        return JSON.parse(line);
      } catch (error) {
        throw new Error(`${file}:${index + 1} is no JSON: ${error.message}`, { cause: error });
      }
    });
}

/** Every example of one file has the same `source`, so that a whole source can be held out. */
export function ownPrompts(folder) {
  return files(folder).flatMap((file) =>
    readJsonLines(file).map((row) => ({ ...row, source: path.basename(file, '.jsonl') })),
  );
}

/** Each instruction with `times` pieces of material of a kind that it asks for. Seeded: every run makes the same. */
export function joinedPrompts({ instructions, materials }, times, seed) {
  const random = randomNumbers(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const pieces = files(materials).flatMap(readJsonLines);
  return files(instructions)
    .flatMap(readJsonLines)
    .flatMap(({ instruction, label, alt, lang, takes, place }) => {
      const fitting = pieces.filter(({ kind }) => takes.includes(kind));
      const own = fitting.filter((piece) => piece.lang === lang);
      if (fitting.length === 0) return [];
      return Array.from({ length: times }, () => {
        const isForeign = own.length < 3 || (label === 'TRANSLATION' && random() < 0.5);
        const { text } = pick(isForeign ? fitting : own);
        const isFirst = place === 'before' || (place === 'either' && random() < 0.6);
        const separator = pick(SEPARATORS);
        const isCut = random() < 0.3 && text.length > LONG_CHARS;
        const material = isCut ? text.slice(0, 150 + Math.floor(random() * 300)) : text;
        const prompt = isFirst
          ? `${instruction}${separator}${material}`
          : `${material}${separator.replace(':', '')}${instruction}`;
        return { prompt, label, alt, lang, source: 'joined' };
      });
    });
}

/** Numbers in [0, 1), the same for the same seed. */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function files(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => path.join(folder, name));
}

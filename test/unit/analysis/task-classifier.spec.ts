import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { PatternSet, readPrompt, TaskClassifier } from '../../../src/analysis/index';
import { ConfigurationError } from '../../../src/errors/index';

const CONFIG = path.join(__dirname, '../../../config');
const FILE = path.join(CONFIG, 'routing/classifier.bin.gz');
const patterns = PatternSet.load([CONFIG]);
const classifier = TaskClassifier.load([CONFIG]);

function classify(prompt: string) {
  const { text, lowered, language, matches } = readPrompt(patterns, prompt);
  return classifier.probabilities({ text, lowered, language, patterns: matches });
}

describe(TaskClassifier.name, () => {
  it('gives every type of text a probability, the likeliest first, and the same each time', () => {
    const answer = classify('Translate "good night" into Finnish.');
    expect(answer[0]?.taskType).toBe('TRANSLATION');
    expect(answer).toHaveLength(11);
    expect(answer.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 10);
    const values = answer.map(({ probability }) => probability);
    expect(values).toEqual([...values].sort((one, other) => other - one));
    classify('Something quite different comes between: x = 3, solve for y.');
    expect(classify('Translate "good night" into Finnish.')).toEqual(answer);
  });

  it.each(['', ' ', '\u{1F600}', 'a', '\uD800', '0'.repeat(10_000), '\n'.repeat(9_000), '字'.repeat(7_000)])(
    'has an answer for odd text (%#)',
    (prompt) => {
      const total = classify(prompt).reduce((sum, { probability }) => sum + probability, 0);
      expect(total).toBeCloseTo(1, 10);
    },
  );

  it('tells the task from the subject', () => {
    const text =
      'The train was late again, so the passengers of the morning line wrote a letter to the mayor.';
    const first = (prompt: string) => classify(prompt)[0]?.taskType;
    expect(first(`Summarize the following text.\n\n${text}`)).toBe('SUMMARIZATION');
    expect(first(`Translate the following text into German.\n\n${text}`)).toBe('TRANSLATION');
    expect(first(`${text}\n\nIs the sentiment of this text positive or negative?`)).toBe('CLASSIFICATION');
  });

  it('counts a pattern that it was not trained with by its weight, such as an operator’s own', () => {
    const read = { text: 'zorp', lowered: 'zorp', language: 'und' };
    const share = (weights: readonly number[]) =>
      classifier
        .probabilities({
          ...read,
          patterns: weights.map((weight, index) => ({
            id: `own.${index}`,
            taskType: 'EXTRACTION' as const,
            weight,
          })),
        })
        .find(({ taskType }) => taskType === 'EXTRACTION')?.probability ?? 0;
    expect(share([0.5])).toBeGreaterThan(share([]));
    expect(share([1])).toBeGreaterThan(share([0.5]));
    expect(share([1, 1])).toBeGreaterThan(share([1]));
  });

  it('is read from the first folder that has it, and names its version', () => {
    expect(TaskClassifier.load(['/nonexistent', CONFIG]).version).toBe(classifier.version);
    expect(classifier.version).toMatch(/^[0-9a-f]{12}$/);
    expect(() => TaskClassifier.load(['/nonexistent'])).toThrow(ConfigurationError);
  });

  it.each<[string, (content: Buffer) => Buffer]>([
    ['cannot be unpacked', () => Buffer.from('no gzip')],
    ['header', () => gzipSync(Buffer.from('{}\n'))],
    ['header', () => gzipSync(Buffer.from('no line'))],
    ['do not fit', (content) => gzipSync(content.subarray(0, content.length - 1))],
  ])('refuses a broken file: %s', (reason, breakIt) => {
    const content = gunzipSync(readFileSync(FILE));
    expect(() => TaskClassifier.parse('own.bin.gz', breakIt(content))).toThrow(reason);
    expect(() => TaskClassifier.parse('own.bin.gz', breakIt(content))).toThrow('own.bin.gz');
  });
});

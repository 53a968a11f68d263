/** Training and measuring the task classifier: what the figures mean, and that what is packed is what was trained. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FEATURE_BITS, TaskClassifier, textFeatures } from '../../../src/analysis/index';
import type { TaskType } from '../../../src/common/index';
import { packageRoot } from '../../../src/config/index';

interface Prediction {
  readonly label: string;
  readonly type: string;
  readonly confidence: number;
  readonly isRight: boolean;
  readonly isAcceptable: boolean;
}
interface Row {
  readonly prompt: string;
  readonly label: string;
  readonly alt: readonly string[];
  readonly source: string;
}
interface Report {
  figures: (predictions: readonly Prediction[], types: readonly string[]) => Record<string, number>;
}
interface Examples {
  joinedPrompts: (folders: object, times: number, seed: number) => readonly Row[];
  ownPrompts: (folder: string) => readonly Row[];
  readJsonLines: (file: string) => readonly object[];
}
interface Example {
  readonly groups: ReturnType<typeof textFeatures>;
  readonly target: Float64Array;
  readonly weight: number;
}
interface Training {
  targetOf: (
    types: readonly string[],
    row: Pick<Row, 'label'> & { readonly alt?: readonly string[] },
  ) => Float64Array;
  train: (examples: readonly Example[], settings: object) => Float32Array;
  scoresOf: (weights: Float32Array, groups: Example['groups'], width: number) => Float64Array;
  softmax: (scores: Float64Array, temperature?: number) => readonly number[];
  calibrate: (heldOut: readonly { readonly scores: readonly number[]; readonly place: number }[]) => number;
  pack: (weights: Float32Array, header: object) => Buffer;
}

const load = async <T>(name: string) =>
  (await import(path.join(packageRoot(), 'scripts', 'lib', `${name}.mjs`))) as T;

const answered = (label: string, type: string, confidence: number): Prediction => ({
  label,
  type,
  confidence,
  isRight: label === type,
  isAcceptable: label === type,
});

describe('the figures of a measurement', () => {
  it('are those of the answers', async () => {
    const { figures } = await load<Report>('classifier-report');
    const predictions = [
      answered('MATH', 'MATH', 0.95),
      answered('MATH', 'MATH', 0.85),
      answered('GENERAL', 'MATH', 0.65),
      { ...answered('GENERAL', 'REASONING', 0.55), isAcceptable: true },
    ];
    const found = figures(predictions, ['MATH', 'GENERAL', 'REASONING']);
    expect(found).toMatchObject({ count: 4, accuracy: 0.5, lenientAccuracy: 0.75, accuracyTop50: 1 });
    // MATH: precision 2/3, recall 1; GENERAL: nothing; REASONING is no label here.
    expect(found.macroF1).toBeCloseTo((0.8 + 0) / 2, 10);
    expect(found.expectedCalibrationError).toBeCloseTo((0.05 + 0.15 + 0.65 + 0.55) / 4, 10);
    // Wilson's interval of 2 in 4.
    expect([found.accuracyLow, found.accuracyHigh].map((value) => value?.toFixed(3))).toEqual([
      '0.150',
      '0.850',
    ]);
  });

  it('are whole without any prompt', async () => {
    const { figures } = await load<Report>('classifier-report');
    expect(Object.values(figures([], ['MATH'])).every(Number.isFinite)).toBe(true);
  });
});

describe('the prompts of training', () => {
  it('are valid, each once, and cover every type that text can tell', async () => {
    const { ownPrompts, readJsonLines } = await load<Examples>('classifier-examples');
    const rows = ownPrompts(path.join(packageRoot(), 'training/prompts'));
    const types = TEXT_TYPES;
    expect(new Set(rows.map(({ label }) => label))).toEqual(new Set(types));
    expect(
      rows.filter(({ label, alt }) => ![label, ...alt].every((type) => types.includes(type as TaskType))),
    ).toEqual([]);
    expect(new Set(rows.map(({ prompt }) => prompt)).size).toBe(rows.length);
    const broken = path.join(mkdtempSync(path.join(tmpdir(), 'training-')), 'broken.jsonl');
    writeFileSync(broken, '{"prompt":"a"}\n{"prompt"\n');
    expect(() => readJsonLines(broken)).toThrow(`${broken}:2`);
    rmSync(path.dirname(broken), { recursive: true });
  });

  it('are joined the same way each time, with material that fits', async () => {
    const { joinedPrompts } = await load<Examples>('classifier-examples');
    const root = mkdtempSync(path.join(tmpdir(), 'training-'));
    for (const folder of ['instructions', 'materials']) mkdirSync(path.join(root, folder));
    const folders = {
      instructions: path.join(root, 'instructions'),
      materials: path.join(root, 'materials'),
    };
    const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
    const instruction = { label: 'SUMMARIZATION', alt: [], lang: 'en', takes: ['article'], place: 'before' };
    writeFileSync(
      path.join(folders.instructions, 'a.jsonl'),
      lines([{ ...instruction, instruction: 'In short:' }]),
    );
    writeFileSync(
      path.join(folders.materials, 'a.jsonl'),
      lines([
        { kind: 'article', lang: 'en', text: 'The bridge is open again.' },
        { kind: 'code', lang: 'en', text: 'return 1' },
      ]),
    );
    const joined = joinedPrompts(folders, 5, 1);
    expect(joined).toEqual(joinedPrompts(folders, 5, 1));
    expect(joined.map(({ prompt }) => /^In short:\s*:?\s*The bridge is open again\.$/.test(prompt))).toEqual(
      Array.from({ length: 5 }, () => true),
    );
    rmSync(root, { recursive: true });
  });
});

const TEXT_TYPES: readonly TaskType[] = [
  'CODE_GENERATION',
  'DEBUGGING',
  'DATA_ANALYSIS',
  'MATH',
  'REASONING',
  'CREATIVE_WRITING',
  'TRANSLATION',
  'SUMMARIZATION',
  'EXTRACTION',
  'CLASSIFICATION',
  'GENERAL',
];

describe('a trained classifier', () => {
  const types: readonly TaskType[] = ['MATH', 'TRANSLATION'];
  const settings = { size: 2 ** FEATURE_BITS, width: 2, epochs: 8, seed: 1 };
  const read = (text: string) => ({ text, lowered: text.toLowerCase(), language: 'en', patterns: [] });
  const example = async (text: string, label: TaskType): Promise<Example> => {
    const { targetOf } = await load<Training>('classifier-training');
    const groups = textFeatures(read(text)).map((group) => ({
      ...group,
      ids: group.ids.slice(0, group.count),
    }));
    return { groups, target: targetOf(types, { label }), weight: 1 };
  };

  it('answers as its packed weights do, the same for the same input', async () => {
    const { train, scoresOf, softmax, pack } = await load<Training>('classifier-training');
    const examples = await Promise.all([
      example('What is 3 + 4?', 'MATH'),
      example('Solve 2x = 8.', 'MATH'),
      example('How do you say dog in Polish?', 'TRANSLATION'),
      example('Translate this into Dutch.', 'TRANSLATION'),
    ]);
    const weights = train(examples, settings);
    expect(train(examples, settings)).toEqual(weights);
    const packed = pack(weights, { types, featureBits: FEATURE_BITS, temperature: 1.5, patterns: [] });
    const classifier = TaskClassifier.parse('own', packed);
    for (const text of ['What is 3 + 4?', 'Please translate cat into Dutch.']) {
      const { groups } = await example(text, 'MATH');
      const expected = softmax(scoresOf(weights, groups, 2), 1.5)[0] ?? 0;
      const found = classifier.probabilities({ ...read(text), patterns: [] });
      const probability = found.find(({ taskType }) => taskType === 'MATH')?.probability ?? 0;
      expect(Math.abs(probability - expected)).toBeLessThan(0.02);
      expect(found[0]?.taskType).toBe(text.includes('translate') ? 'TRANSLATION' : 'MATH');
    }
  });

  it('says how sure it is as often as it is right', async () => {
    const { calibrate, softmax } = await load<Training>('classifier-training');
    // Scores that claim 98 %, and are right in 3 of 4.
    const heldOut = Array.from({ length: 400 }, (_, index) => ({
      scores: [4, 0],
      place: index % 4 === 0 ? 1 : 0,
    }));
    const temperature = calibrate(heldOut);
    expect(softmax(Float64Array.from([4, 0]), temperature)[0]).toBeCloseTo(0.75, 2);
  });

  it('takes a label for less than sure where another is acceptable', async () => {
    const { targetOf } = await load<Training>('classifier-training');
    expect([...targetOf(types, { label: 'MATH', alt: ['TRANSLATION'] })]).toEqual([
      0.9,
      expect.closeTo(0.1, 10),
    ]);
    expect([...targetOf(types, { label: 'MATH', alt: ['GENERAL'] })]).toEqual([1, 0]);
  });
});

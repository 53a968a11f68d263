// npm run train:classifier -- [--extra FILE.jsonl ...] [--report] [--epochs N] [--joined N]
//
// Trains the task classifier on training/ and on labelled prompts of your own ({prompt, label, alt?, source?} a line), and
// writes config/routing/classifier.bin.gz. With --report it also holds out every source of the extra files in turn
// and prints how the rest does on it. The temperature always comes from such held-out sources.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { joinedPrompts, ownPrompts, readJsonLines } from './lib/classifier-examples.mjs';
import { report } from './lib/classifier-report.mjs';
import { calibrate, pack, scoresOf, targetOf, train } from './lib/classifier-training.mjs';

const require = createRequire(import.meta.url);
const { FEATURE_BITS, PatternSet, readPrompt, textFeatures } = require('../dist/src/analysis/index.js');
const { TASK_TYPES } = require('../dist/src/common/index.js');

/** What text alone can tell; the others follow from a request's fields. */
const types = TASK_TYPES.filter((type) => type !== 'VISION' && type !== 'TOOL_USE');

const TARGET = 'config/routing/classifier.bin.gz';
const SEED = 20261121;
const JOINED_WEIGHT = 0.5;

const { values } = parseArgs({
  options: {
    extra: { type: 'string', multiple: true, default: [] },
    report: { type: 'boolean', default: false },
    epochs: { type: 'string', default: '6' },
    joined: { type: 'string', default: '3' },
    patterns: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

const patterns = PatternSet.load(['config']);
const settings = { size: 2 ** FEATURE_BITS, width: types.length, epochs: Number(values.epochs), seed: SEED };

function example({ prompt, label, alt, source }, weight) {
  const { text, lowered, language, matches } = readPrompt(patterns, prompt);
  const ids = values.patterns ? matches.map(({ id }) => id) : [];
  const features = textFeatures({ text, lowered, language, patterns: ids });
  const groups = features.map((group) => ({ ...group, ids: group.ids.slice(0, group.count) }));
  return {
    groups,
    target: targetOf(types, { label, alt }),
    place: types.indexOf(label),
    label,
    alt: alt ?? [],
    source,
    weight,
  };
}

const folders = { instructions: 'training/instructions', materials: 'training/materials' };
const own = ownPrompts('training/prompts').map((row) => example(row, 1));
const joined = joinedPrompts(folders, Number(values.joined), SEED).map((row) => example(row, JOINED_WEIGHT));
const extra = values.extra
  .flatMap((file) => readJsonLines(file).map((row) => ({ source: file, ...row })))
  .filter(({ label }) => types.includes(label))
  .map((row) => example(row, 1));
console.log(`${own.length} prompts of our own, ${joined.length} joined ones, ${extra.length} others`);

const heldOut = [];
const held = extra.length > 0 ? extra : own;
for (const source of new Set(held.map((one) => one.source))) {
  const rest = [...own, ...joined, ...extra].filter((one) => one.source !== source || !held.includes(one));
  const weights = train(rest, settings);
  const tested = held.filter((one) => one.source === source);
  heldOut.push(...tested.map((one) => ({ ...one, scores: scoresOf(weights, one.groups, types.length) })));
  if (values.report)
    console.log(
      report(
        source,
        heldOut.filter((one) => one.source === source),
        types,
      ),
    );
}
const temperature = calibrate(heldOut);
if (values.report) console.log(report('all held out', heldOut, types, temperature));

const weights = train([...own, ...joined, ...extra], settings);
const packed = pack(weights, {
  types,
  featureBits: FEATURE_BITS,
  temperature,
  patterns: values.patterns ? patterns.ids : [],
});
writeFileSync(TARGET, packed);
console.log(`${TARGET}: ${packed.length} bytes, temperature ${temperature}`);

// npm run eval:classify -- FILE.jsonl [--json]
//
// Measures the task classifier on labelled prompts, one JSON object a line: {prompt, label, alt?, lang?}. `alt` holds
// labels that are acceptable too. The product's own reading of a prompt is measured, without its cache.
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { readJsonLines } from './lib/classifier-examples.mjs';
import { f1Of, figures } from './lib/classifier-report.mjs';
import { ASSUMED_ACCURACIES, semanticCurve } from './lib/semantic-curve.mjs';

const require = createRequire(import.meta.url);
const { PatternSet, readPrompt, TaskClassifier } = require('../dist/src/analysis/index.js');
const { TASK_TYPES } = require('../dist/src/common/index.js');

const THRESHOLDS = [0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
/** US dollars per million tokens of a cheap model. */
const CLASSIFIER_PRICE = { input: 0.1, output: 0.4 };
const NANOSECONDS_PER_MICROSECOND = 1000;

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [file] = positionals;
if (!file) {
  console.error('Which prompts? npm run eval:classify -- FILE.jsonl');
  process.exit(2);
}

const patterns = PatternSet.load(['config']);
const classifier = TaskClassifier.load(['config']);
const rows = readJsonLines(file);
const wrong = rows.findIndex(
  ({ prompt, label }) => typeof prompt !== 'string' || !TASK_TYPES.includes(label),
);
if (wrong >= 0) {
  console.error(`${file}:${wrong + 1} needs a prompt and a label, one of ${TASK_TYPES.join(', ')}`);
  process.exit(2);
}

const classify = (prompt) => {
  const { text, lowered, language, matches } = readPrompt(patterns, prompt);
  return classifier.probabilities({ text, lowered, language, patterns: matches })[0];
};
for (const { prompt } of rows) classify(prompt);
const began = process.hrtime.bigint();
const answers = rows.map(({ prompt }) => classify(prompt));
const microsecondsPerPrompt =
  Number(process.hrtime.bigint() - began) / NANOSECONDS_PER_MICROSECOND / Math.max(1, rows.length);

const predictions = rows.map(({ prompt, label, alt = [], lang = 'und' }, index) => {
  const { taskType: type, probability: confidence } = answers[index];
  return {
    label,
    type,
    lang,
    confidence,
    chars: prompt.length,
    isRight: type === label,
    isAcceptable: type === label || alt.includes(type),
  };
});
const all = figures(predictions, TASK_TYPES);
const percent = (share) => `${(share * 100).toFixed(1)} %`.padStart(7);

console.log(`${all.count} prompts, classifier ${classifier.version}, patterns ${patterns.version}`);
console.log(
  `accuracy          ${percent(all.accuracy)}  (95 %: ${percent(all.accuracyLow)} to ${percent(all.accuracyHigh)})`,
);
console.log(`lenient accuracy  ${percent(all.lenientAccuracy)}`);
console.log(`macro-F1            ${all.macroF1.toFixed(3)}`);
console.log(`calibration error   ${all.expectedCalibrationError.toFixed(3)}`);
console.log(`µs a prompt       ${microsecondsPerPrompt.toFixed(1).padStart(7)}`);

console.log('\ntype              prompts  precision   recall       F1');
for (const type of TASK_TYPES) {
  const { precision, recall, f1, count } = f1Of(predictions, type);
  if (count === 0) continue;
  console.log(
    `${type.padEnd(17)} ${String(count).padStart(7)}    ${percent(precision)}  ${percent(recall)}    ${f1.toFixed(3)}`,
  );
}

console.log('\nlanguage  prompts  accuracy');
for (const lang of new Set(predictions.map((one) => one.lang))) {
  const own = predictions.filter((one) => one.lang === lang);
  console.log(
    `${lang.padEnd(9)} ${String(own.length).padStart(7)}   ${percent(figures(own, TASK_TYPES).accuracy)}`,
  );
}

console.log('\nconfidence from  coverage  accuracy');
for (const threshold of THRESHOLDS) {
  const sure = predictions.filter(({ confidence }) => confidence >= threshold);
  const share = sure.filter(({ isRight }) => isRight).length / Math.max(1, sure.length);
  console.log(
    `${threshold.toFixed(1).padStart(15)}   ${percent(sure.length / Math.max(1, all.count))}   ${percent(share)}`,
  );
}

console.log(
  '\nA model asked below a threshold (CLASSIFIER_THRESHOLD), at $0.10 and $0.40 per million tokens:',
);
const assumed = ASSUMED_ACCURACIES.map((accuracy) => `if right ${percent(accuracy)}`).join('  ');
console.log(`threshold    asked  $ per 1,000  accuracy of the rest  ${assumed}`);
for (const row of semanticCurve(predictions, THRESHOLDS, CLASSIFIER_PRICE)) {
  const accuracies = row.accuracies.map((accuracy) => percent(accuracy).padStart(16)).join('  ');
  console.log(
    `${row.threshold.toFixed(1).padStart(9)}  ${percent(row.askedShare)}  ${row.usdPerThousand.toFixed(4).padStart(11)}  ${percent(row.keptAccuracy).padStart(20)}  ${accuracies}`,
  );
}

if (values.json) {
  const { count: _count, ...shown } = all;
  console.log(JSON.stringify({ ...shown, microsecondsPerPrompt }));
}

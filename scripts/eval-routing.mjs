// npm run eval:routing -- --calibrate A.csv --test B.csv [--json] [--quality 0.99]
// npm run eval:routing -- --calibrate A.csv --split 0.5 [--by dataset] [--seed 1]
//
// Measures routing by quality target. The policy is frozen on A, pool by pool; then it chooses for B from the prompts
// alone. With --folds dataset the target has to hold, while calibrating, on whole datasets that were held out: safer where
// other kinds of prompts are to come, and saves less. Columns of the files: pool, prompt_id, task_type, dataset, model, score,
// cost_usd, in_tokens, out_tokens; the prompts of X.csv stand in X_prompts.jsonl beside it: {pool, prompt_id, prompt}. The
// data sets of A are learned from; those of B are not looked at. With --split, A is cut in two by itself.
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { DataError, promptsFileOf, readOutcomes } from './lib/routing-data.mjs';
import { learnCosts } from './lib/routing-costs.mjs';
import { RoutingPolicies } from './lib/routing-policy.mjs';
import { Profiles } from './lib/routing-profiles.mjs';
import { asJson, describe, figures, outcomeOf, together } from './lib/routing-report.mjs';
import { splitPools } from './lib/routing-split.mjs';

const require = createRequire(import.meta.url);
const { TASK_TYPES } = require('../dist/src/common/index.js');
const load = (name) => require(`../dist/src/scoring/${name}.js`);
const product = {
  ...load('capabilities/fitted-capability-table'),
  ...load('capabilities/capability-fit'),
  ...load('quality-target'),
  ...load('capabilities/answer-worth'),
  scores: Object.fromEntries(TASK_TYPES.map((type) => [type, 0.5])),
};

function fail(message) {
  console.error(message);
  process.exit(2);
}

function settings() {
  const { values } = parseArgs({
    options: {
      calibrate: { type: 'string' },
      test: { type: 'string' },
      split: { type: 'string' },
      by: { type: 'string', default: 'prompt' },
      folds: { type: 'string', default: 'prompt' },
      seed: { type: 'string', default: '1' },
      quality: { type: 'string', default: '0.99' },
      json: { type: 'boolean', default: false },
    },
  });
  const [quality, seed, split] = [Number(values.quality), Number(values.seed), Number(values.split ?? 0.5)];
  if (!values.calibrate || (!values.test && !values.split))
    fail('Which outcomes? npm run eval:routing -- --calibrate A.csv --test B.csv');
  if (!(quality > 0 && quality <= 1)) fail('--quality must be above 0 and at most 1');
  if (!(split > 0 && split < 1)) fail('--split must be between 0 and 1');
  if (!Number.isInteger(seed)) fail('--seed must be a whole number');
  for (const name of ['by', 'folds'])
    if (!['prompt', 'dataset'].includes(values[name])) fail(`--${name} must be prompt or dataset`);
  return { ...values, quality, seed, split };
}

function read(file) {
  try {
    return readOutcomes(file, TASK_TYPES);
  } catch (error) {
    if (error instanceof DataError || error.message.startsWith(file.replace(/\.csv$/i, '')))
      fail(error.message);
    throw error;
  }
}

const given = settings();
const [calibration, test] = given.test
  ? [read(given.calibrate), read(given.test)]
  : splitPools(read(given.calibrate), given);
const profiles = new Profiles(['config']);
for (const pool of [...calibration.values(), ...test.values()]) {
  for (const prompt of pool.prompts) prompt.profile = profiles.of(prompt);
  if (pool.leftOut > 0)
    console.log(`${pool.name}: ${pool.leftOut} prompts that not every model answered are left out`);
}
for (const [file, pools] of [
  [given.calibrate, calibration],
  [given.test ?? given.calibrate, test],
]) {
  const without = [...pools.values()].flatMap(({ prompts }) =>
    prompts.filter(({ text }) => text === undefined),
  );
  if (without.length > 0)
    console.log(
      `${without.length} prompts are not in ${promptsFileOf(file)}: of these the task type is all that is known`,
    );
}

const outcomes = [];
const byType = [];
for (const pool of test.values()) {
  if (pool.prompts.length === 0) continue;
  const policies = (readsPrompts) => new RoutingPolicies(product, { ...given, readsPrompts });
  const policy = await frozen(policies(true), pool);
  outcomes.push(outcomeOf(pool, policy));
  byType.push(outcomeOf(pool, await frozen(policies(false), pool)));
  console.log(`\n${policyLine(pool, policy)}`);
  console.log(described(pool.name, [outcomes.at(-1)], [byType.at(-1)]));
}
if (outcomes.length === 0) fail('There is no prompt to test on that every model of its pool has answered');

const all = figures(outcomes, given.seed);
if (outcomes.length > 1) {
  console.log(`\n${described('all pools, by their prompts', outcomes, byType, all)}`);
  console.log(
    `  saved in dollars       ${(all.dollarsSaved * 100).toFixed(1)} % of what the best single models cost`,
  );
}
if (given.json) console.log(JSON.stringify(asJson(all)));

/** From the pool of the same name; else from what is known of the models by name; else the dearest model. */
async function frozen(policies, pool) {
  const own = calibration.get(pool.name);
  const models = own?.models.filter((model) => pool.models.includes(model)) ?? [];
  if (models.length > 0 && own.prompts.length > 0)
    return await policies.freeze({ models, prompts: own.prompts });
  const elsewhere = [...calibration.values()].filter((other) =>
    pool.models.every((model) => other.models.includes(model)),
  );
  const [known] = elsewhere.sort((one, other) => other.prompts.length - one.prompts.length);
  if (known)
    return await policies.freezeUncalibrated(
      pool.models,
      known.prompts,
      learnCosts(pool.models, pool.prompts),
    );
  const dearest = outcomeOf(pool, { choose: () => pool.models[0] });
  const costOf = (place) => dearest.costs.reduce((sum, row) => sum + row[place], 0);
  const place = pool.models.map((_, at) => at).sort((one, other) => costOf(other) - costOf(one))[0];
  return { kind: 'dearest', choose: () => pool.models[place] };
}

function policyLine(pool, { kind, worth, expected }) {
  const percent = (share) => `${(share * 100).toFixed(1)} %`;
  const strangers = pool.models.filter((model) => !calibration.get(pool.name)?.models.includes(model));
  const without = strangers.length > 0 ? `; not calibrated, never chosen: ${strangers.join(', ')}` : '';
  switch (kind) {
    case 'learned':
      return (
        `${pool.name}: an answer is worth ${worth.toPrecision(3)} dollars; on prompts held out of the calibration ` +
        `that keeps ${percent(expected.quality)} and saves ${percent(expected.costSaved)}${without}`
      );
    case 'best single':
      return `${pool.name}: no cheaper choice held the target in the calibration; its best single model answers all${without}`;
    case 'by model name':
      return `${pool.name}: not in the calibration; its models are known from another pool, prices are its own`;
    default:
      return `${pool.name}: neither the pool nor all of its models are in the calibration; the dearest model answers all`;
  }
}

function described(name, pools, typePools, found = figures(pools, given.seed)) {
  const choices =
    ({ choices: places }) =>
    (at) =>
      places[at];
  return describe(name, found, [['by task type only', together(typePools, choices)]]);
}

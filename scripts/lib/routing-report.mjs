// What a policy's choices were worth: relative to the best single model, beside the baselines, with intervals.
import { randomNumbers } from './classifier-examples.mjs';
import { bestSingle, cheapest, total } from './routing-policy.mjs';

const RESAMPLES = 1_000;
const LOW = 0.025;
const HIGH = 0.975;

/** A pool's prompts with the model that was chosen for each, in numbers; `best` is known only afterwards. */
export function outcomeOf({ name, models, prompts }, policy) {
  const best = bestSingle(models, prompts);
  const scores = prompts.map(({ outcomes }) => models.map((model) => outcomes.get(model).score));
  const costs = prompts.map(({ outcomes }) => models.map((model) => outcomes.get(model).costUsd));
  const choices = prompts.map((prompt) => models.indexOf(policy.choose(prompt)));
  return {
    name,
    models,
    prompts,
    scores,
    costs,
    choices,
    best: models.indexOf(best),
    cheapest: models.indexOf(cheapest(models, prompts)),
  };
}

/** Relative to the best single model of each pool; a pool counts by its number of prompts. */
export function figures(outcomes, seed) {
  const router = together(
    outcomes,
    ({ choices }) =>
      (at) =>
        choices[at],
  );
  const intervals = resampled(outcomes, seed);
  const shuffles = shuffled(outcomes, seed);
  return {
    prompts: outcomes.reduce((sum, { prompts }) => sum + prompts.length, 0),
    router,
    quality: intervals.router,
    saved: intervals.saved,
    shuffle: shuffles.mean,
    shuffleQuality: shuffles.interval,
    difference: { mean: router.quality - shuffles.mean.quality, interval: intervals.difference },
    cheapest: together(
      outcomes,
      ({ cheapest: model }) =>
        () =>
          model,
    ),
    random: averaged(outcomes),
    oracle: together(outcomes, oracle),
    dollarsSaved: dollarsSaved(outcomes),
  };
}

/** @param choiceOf outcome → place of a prompt → place of a model */
export function together(outcomes, choiceOf) {
  const count = outcomes.reduce((sum, { scores }) => sum + scores.length, 0);
  let [quality, costSaved] = [0, 0];
  for (const outcome of outcomes) {
    const one = relative(outcome, choiceOf(outcome));
    quality += (one.quality * outcome.scores.length) / count;
    costSaved += (one.costSaved * outcome.scores.length) / count;
  }
  return { quality, costSaved };
}

function relative({ scores, costs, best }, choose) {
  const sums = { score: 0, cost: 0, bestScore: 0, bestCost: 0 };
  for (let at = 0; at < scores.length; at++) {
    const chosen = choose(at);
    sums.score += scores[at][chosen];
    sums.cost += costs[at][chosen];
    sums.bestScore += scores[at][best];
    sums.bestCost += costs[at][best];
  }
  return {
    quality: sums.bestScore === 0 ? 1 : sums.score / sums.bestScore,
    costSaved: sums.bestCost === 0 ? 0 : 1 - sums.cost / sums.bestCost,
  };
}

/** The cheapest of the best answers to each prompt; nobody can know that beforehand. */
function oracle({ scores, costs, models }) {
  const places = models.map((_, place) => place);
  return (at) =>
    places.reduce((best, one) => {
      const better = scores[at][one] - scores[at][best];
      return better > 0 || (better === 0 && costs[at][one] < costs[at][best]) ? one : best;
    });
}

/** Any model with the same chance. */
function averaged(outcomes) {
  const rows = outcomes.map((outcome) => {
    const { models, prompts, best } = outcome;
    const mean = (field) =>
      models.reduce((sum, model) => sum + total(prompts, model, field), 0) /
      models.length /
      total(prompts, models[best], field);
    return { weight: prompts.length, quality: mean('score'), costSaved: 1 - mean('costUsd') };
  });
  const count = rows.reduce((sum, { weight }) => sum + weight, 0);
  const share = (field) => rows.reduce((sum, row) => sum + (row[field] * row.weight) / count, 0);
  return { quality: share('quality'), costSaved: share('costSaved') };
}

/** The same choices dealt to other prompts of the pool by chance. */
function shuffled(outcomes, seed) {
  const random = randomNumbers(seed);
  const dealt = Array.from({ length: RESAMPLES }, () =>
    together(outcomes, ({ choices }) => {
      const mixed = shuffle(choices, random);
      return (at) => mixed[at];
    }),
  );
  const mean = (field) => dealt.reduce((sum, one) => sum + one[field], 0) / dealt.length;
  return {
    mean: { quality: mean('quality'), costSaved: mean('costSaved') },
    interval: interval(dealt.map(({ quality }) => quality)),
  };
}

/** Bootstrap over the prompts, each pool by itself; every time, the choices are dealt out anew for the shuffle. */
function resampled(outcomes, seed) {
  const random = randomNumbers(seed + 1);
  const [router, saved, difference] = [[], [], []];
  for (let time = 0; time < RESAMPLES; time++) {
    const samples = outcomes.map((outcome) => resample(outcome, random));
    const own = together(
      samples,
      ({ choices }) =>
        (at) =>
          choices[at],
    );
    const other = together(samples, ({ choices }) => {
      const mixed = shuffle(choices, random);
      return (at) => mixed[at];
    });
    router.push(own.quality);
    saved.push(own.costSaved);
    difference.push(own.quality - other.quality);
  }
  return { router: interval(router), saved: interval(saved), difference: interval(difference) };
}

function resample({ scores, costs, choices, best }, random) {
  const drawn = scores.map(() => Math.floor(random() * scores.length));
  return {
    scores: drawn.map((at) => scores[at]),
    costs: drawn.map((at) => costs[at]),
    choices: drawn.map((at) => choices[at]),
    best,
  };
}

function shuffle(list, random) {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}

function interval(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return [at(LOW), at(HIGH)];
}

/** Of all pools together, as it stands: the dearest pool decides. */
function dollarsSaved(outcomes) {
  let [cost, bestCost] = [0, 0];
  for (const { costs, choices, best } of outcomes) {
    for (const [at, row] of costs.entries()) {
      cost += row[choices[at]];
      bestCost += row[best];
    }
  }
  return bestCost === 0 ? 0 : 1 - cost / bestCost;
}

const percent = (share, digits = 1) => `${(share * 100).toFixed(digits)} %`.padStart(8);
const range = ([low, high]) => `(95 %: ${percent(low)} to ${percent(high)})`;
const line = (name, { quality, costSaved }, more = '') =>
  `  ${name.padEnd(22)} ${percent(quality)} ${percent(costSaved)}   ${more}`.trimEnd();

/** @param rows `[[name, { quality, costSaved }], …]` to print beside the baselines */
export function describe(name, found, rows = []) {
  return [
    `${name}: ${found.prompts} prompts`,
    '                           quality    saved',
    line('router', found.router, range(found.quality)),
    ...rows.map(([title, one]) => line(title, one)),
    line('cost-matched shuffle', found.shuffle, range(found.shuffleQuality)),
    line('random', found.random),
    line('cheapest', found.cheapest),
    line('best single', { quality: 1, costSaved: 0 }),
    line('oracle', found.oracle),
    `  saved                  ${percent(found.router.costSaved)} ${range(found.saved)}`,
    `  router - shuffle       ${percent(found.difference.mean)} ${range(found.difference.interval)}`,
  ].join('\n');
}

export function asJson({
  router,
  quality,
  shuffle,
  shuffleQuality,
  cheapest: low,
  oracle: high,
  difference,
}) {
  return {
    quality: router.quality,
    qualityLow: quality[0],
    qualityHigh: quality[1],
    costSaved: router.costSaved,
    shuffleQuality: shuffle.quality,
    shuffleLow: shuffleQuality[0],
    shuffleHigh: shuffleQuality[1],
    cheapestQuality: low.quality,
    bestSingleQuality: 1,
    oracleQuality: high.quality,
    differenceLow: difference.interval[0],
    differenceHigh: difference.interval[1],
  };
}

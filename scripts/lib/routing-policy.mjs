// A policy for one pool of models, frozen on outcomes: a capability table, expected costs and what an answer is worth.
import { randomNumbers } from './classifier-examples.mjs';
import { learnCosts } from './routing-costs.mjs';

const FOLDS = 5;
/** Which prompts fall together is chance: with fewer, what an answer is worth depends on it. */
const REPEATS = 4;

/**
 * @param product `{ FittedCapabilityTable, fitCapabilities, rankByTarget, worthOf, outcomeProfile, scores }`
 * @param options.readsPrompts false: nothing but the task type is used
 * @param options.folds dataset: the target has to hold on datasets that were held out, not only on prompts
 */
export class RoutingPolicies {
  constructor(product, { quality, readsPrompts, seed, folds = 'prompt' }) {
    this.product = product;
    this.quality = quality;
    this.readsPrompts = readsPrompts;
    this.seed = seed;
    this.folds = folds;
  }

  /** `{ choose(prompt), kind, worth?, expected? }`: the choice is made from the prompt's profile alone. */
  async freeze({ models, prompts }) {
    const best = bestSingle(models, prompts);
    const expected = await this.calibrate(models, prompts);
    if (!expected) return { kind: 'best single', choose: () => best };
    const rate = await this.rater(models, prompts);
    const target = { quality: 0, answerWorthUsd: expected.answerWorthUsd };
    const choose = (prompt) => {
      const { models: rated, isNovel } = rate(prompt);
      return this.product.rankByTarget(rated, { ...target, isNovel }).holding[0].model.id;
    };
    return { kind: 'learned', worth: expected.answerWorthUsd, expected, choose };
  }

  /** For models whose outcomes come from other pools: each request keeps the target by itself. */
  async freezeUncalibrated(models, prompts, costs) {
    const rate = await this.rater(models, prompts, costs);
    return {
      kind: 'by model name',
      choose: (prompt) =>
        this.product.rankByTarget(rate(prompt).models, { quality: this.quality }).holding[0].model.id,
    };
  }

  /** The worth that keeps the target on prompts that the table did not see. */
  async calibrate(models, prompts) {
    if (prompts.length < FOLDS) return undefined;
    const requests = [];
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const fold = foldsOf(prompts, { by: this.folds, seed: this.seed + repeat });
      for (let held = 0; held < FOLDS; held++) {
        const seen = prompts.filter((_, index) => fold[index] !== held);
        const rate = await this.rater(models, seen);
        for (const prompt of prompts.filter((_, index) => fold[index] === held)) {
          const { models: rated, isNovel } = rate(prompt);
          requests.push(rated.map((one) => ({ ...one, isNovel, ...prompt.outcomes.get(one.model.id) })));
        }
      }
    }
    return this.product.worthOf(requests, this.quality);
  }

  /** Rates every model for a prompt: `{ models: [{ model, quality, expectedCostUsd }], isNovel }`. */
  async rater(models, prompts, costs = learnCosts(models, prompts)) {
    const { FittedCapabilityTable, fitCapabilities, scores } = this.product;
    const rows = prompts.flatMap((prompt) => this.rowsOf(prompt, models));
    const content = await fitCapabilities(rows, () => undefined);
    const table = await FittedCapabilityTable.parse('calibrated', content);
    const catalog = models.map((id) => ({ id, baseModel: id, scores }));
    return ({ profile }) => {
      const read = this.readsPrompts ? profile : typeOnly(profile);
      const rated = catalog.map((model) => ({
        model,
        quality: table.estimate(model, read).quality,
        expectedCostUsd: costs.get(model.id)(profile.features.estimatedPromptTokens, profile.taskType),
      }));
      return { models: rated, isNovel: table.isNovel(read) };
    };
  }

  rowsOf({ profile, outcomes, dataset }, models) {
    return models.flatMap((model) => {
      const outcome = outcomes.get(model);
      if (!outcome) return [];
      const { score } = outcome;
      return {
        model,
        taskType: profile.taskType,
        ...(this.readsPrompts && { profile: this.product.outcomeProfile(profile), dataset }),
        count: 1,
        mean: score,
        sumOfSquares: score * score,
      };
    });
  }
}

const known = new WeakMap();

function typeOnly(profile) {
  const simple = known.get(profile) ?? {
    taskType: profile.taskType,
    confidence: 1,
    secondary: [],
    features: {
      complexity: 0.3,
      language: 'en',
      estimatedPromptTokens: 100,
      hasCode: false,
    },
  };
  known.set(profile, simple);
  return simple;
}

export function bestSingle(models, prompts) {
  return sortedBy(models, (model) => [total(prompts, model, 'score'), -total(prompts, model, 'costUsd')])[0];
}

export function cheapest(models, prompts) {
  return sortedBy(models, (model) => [-total(prompts, model, 'costUsd'), total(prompts, model, 'score')])[0];
}

export function total(prompts, model, field) {
  return prompts.reduce((sum, { outcomes }) => sum + outcomes.get(model)[field], 0);
}

function sortedBy(models, ranks) {
  return models
    .map((model) => ({ model, rank: ranks(model) }))
    .sort((one, other) => other.rank[0] - one.rank[0] || other.rank[1] - one.rank[1])
    .map(({ model }) => model);
}

/** A fold for each prompt; by dataset, all prompts of one are in the same. */
function foldsOf(prompts, { by, seed }) {
  const random = randomNumbers(seed);
  const keyOf = ({ dataset }, index) => (by === 'dataset' ? dataset : index);
  const order = [...new Set(prompts.map(keyOf))]
    .map((key) => ({ key, at: random() }))
    .sort((one, other) => one.at - other.at);
  const folds = new Map(order.map(({ key }, place) => [key, place % FOLDS]));
  return prompts.map((prompt, index) => folds.get(keyOf(prompt, index)));
}

/**
 * Promise 9, first half: no plan ever holds a model that lacks what the request needs. Thousands of random requests against
 * random catalogs; what a request needs is known from how it was made, not from Lattice's own reading of it.
 */
import { type CatalogModel, type PriceVersion } from '../../src/catalog/index';
import { toAppError } from '../../src/errors/index';
import type { ExecutionPlan } from '../../src/selection/index';
import { aPrice } from '../support/factories';
import { Random } from '../support/proof/random';
import { type MadeRequest, randomModels, randomRequest, someOf } from '../support/proof/random-routing';
import { proofSize, reportProof } from '../support/proof-report';
import { aRouter, OWNER, type Surroundings } from '../unit/selection/support';

const CATALOGS = proofSize(150, 1_500);
const REQUESTS_PER_CATALOG = 40;
const SEED = Number(process.env.PROOF_SEED ?? 4711);
const TIMEOUT_MS = 600_000;

interface Scene extends Surroundings {
  readonly blocked: readonly string[];
}

/** One request in its surroundings. */
interface Case {
  readonly made: MadeRequest;
  readonly surroundings: Scene;
  readonly allowed?: readonly string[];
  readonly plan: ExecutionPlan;
}

function randomScene(random: Random): Scene {
  const models = randomModels(random, 4 + random.int(0, 15));
  const names = models.map(({ id }) => id);
  const list = (probability: number) => `[${someOf(random, names, probability).join(', ')}]`;
  const blocked = someOf(random, names, 0.1);
  const arm = random.pick(models).id;
  const prices = models.map(({ id }, index): [string, PriceVersion] => {
    const prices = { inputPicoUsd: BigInt(random.int(0, 29)) * 100_000n, outputPicoUsd: 1_000_000n };
    return [id, aPrice({ model: id, version: index + 1, prices })];
  });
  return {
    models,
    blocked,
    prices: new Map(prices),
    unpriced: someOf(random, names, 0.1),
    available: someOf(random, ['openai', 'anthropic', 'google', 'xai'] as const, 0.8),
    guide: `prior: 0.3\nall: { recommended: ${list(0.2)}, blocked: [${blocked.join(', ')}], fallback: ${list(0.3)} }`,
    assign: random.chance(0.3)
      ? () => ({ experimentId: OWNER, arm: 'b', model: arm, models: [arm] })
      : undefined,
  };
}

const callableInputs = (model: CatalogModel, { inputs }: MadeRequest): boolean =>
  inputs.every((kind) => (kind === 'image' ? model.supports.vision : model.input.includes(kind)));

/** Why the model should not have been a candidate; undefined: nothing speaks against it. */
function objection(
  model: CatalogModel,
  { made, surroundings, allowed, plan }: Case,
  mayBeNamed = true,
): string | undefined {
  const { request, supports, wantsJsonObject } = made;
  const { features } = plan.profile;
  const answer = request.body.max_tokens ?? 0;
  const names = mayBeNamed ? [request.body.model, ...(request.options.models ?? [])] : [];
  const isNamed = names.some(
    (name) =>
      name === model.id || surroundings.models.find(({ id }) => id === name)?.baseModel === model.baseModel,
  );
  const prompt = features.estimatedPromptTokens - (isNamed ? features.estimatedFileTokens : 0);
  const checks: Readonly<Record<string, boolean>> = {
    availability: surroundings.available?.includes(model.provider) ?? false,
    allowance: allowed?.some((name) => name === model.id || name === `${model.provider}/*`) ?? true,
    inputs: callableInputs(model, made),
    capability: supports.every((name) => model.supports[name]),
    json: !wantsJsonObject || model.supports.jsonObject || model.supports.jsonSchema,
    context: prompt + (isNamed ? 0 : answer) <= model.contextWindowTokens,
    output: isNamed || answer <= model.maxOutputTokens,
    price: model.allowUnknownPrice === true || !surroundings.unpriced?.includes(model.id),
    retirement: isNamed || model.status !== 'retired',
  };
  return Object.keys(checks).find((name) => !checks[name]);
}

describe('routing', () => {
  const cases: Case[] = [];
  let asked = 0;

  beforeAll(() => {
    const random = new Random(SEED);
    for (let catalog = 0; catalog < CATALOGS; catalog += 1) {
      const surroundings = randomScene(random);
      const router = aRouter(surroundings);
      const names = surroundings.models.map(({ id }) => id);
      for (let count = 0; count < REQUESTS_PER_CATALOG; count += 1) {
        const made = randomRequest(random, names);
        const allowed = random.chance(0.25) ? [...someOf(random, names, 0.5), 'openai/*'] : undefined;
        asked += 1;
        try {
          cases.push({ made, surroundings, allowed, plan: router.plan(made.request, allowed) });
        } catch (error) {
          // Nothing could serve it, and it says so.
          expect(toAppError(error).status).toBeLessThan(504);
          expect(toAppError(error).code).not.toBe('INTERNAL_ERROR');
        }
      }
    }
  }, TIMEOUT_MS);

  const offenders = (wrong: (one: Case, model: CatalogModel) => string | undefined): string[] =>
    cases.flatMap((one) =>
      one.plan.candidates.flatMap(({ model }) => {
        const reason = wrong(one, model);
        return reason === undefined
          ? []
          : [`${model.id} for ${JSON.stringify(one.made.request.options)}: ${reason}`];
      }),
    );

  it('never plans with a model that lacks what the request needs, or that its key may not use', () => {
    expect(offenders((one, model) => objection(model, one))).toEqual([]);
    const refused = cases.map(
      (one) => one.surroundings.models.filter((model) => objection(model, one)).length,
    );
    // Each request has models to avoid, or the test would prove nothing.
    expect(refused.filter((count) => count > 0).length).toBeGreaterThan(cases.length * 0.9);
    expect(cases.length).toBeGreaterThan(asked / 2);
  });

  it('never plans with a model below the quality target', () => {
    // The task type is the request's own, so that what is expected of a model is just its score.
    const aimed = cases.filter(({ plan, made }) => plan.target && made.request.options.taskType);
    for (const one of aimed) {
      const { plan, made, surroundings } = one;
      const able = surroundings.models.filter(
        (model) => !surroundings.blocked.includes(model.id) && !objection(model, one, false),
      );
      const best = Math.max(...able.map(({ scores }) => scores[plan.profile.taskType]));
      const target = made.request.options.quality ?? Number.NaN;
      expect(plan.target).toMatchObject({ quality: target, best, threshold: target * best });
      for (const { model } of plan.candidates)
        expect(model.scores[plan.profile.taskType]).toBeGreaterThanOrEqual(target * best);
    }
    expect(aimed.length).toBeGreaterThan(cases.length / 25);
    const narrowed = aimed.filter(({ plan }) =>
      plan.filtered.some(({ reason }) => reason === 'below_target'),
    );
    expect(narrowed.length).toBeGreaterThan(aimed.length / 2);
  });

  it('chooses, with a target, the cheapest of all that hold it', () => {
    for (const { plan } of cases.filter((one) => one.plan.target)) {
      const holding = plan.ranking.filter(({ quality }) => quality >= (plan.target?.threshold ?? 0));
      const costs = holding.map(({ expectedCostUsd }) => expectedCostUsd ?? Infinity);
      expect(plan.candidates[0]?.expectedCostUsd ?? Infinity).toBe(Math.min(...costs));
    }
  });

  it('never goes to another model than the one that was named, unless the request says so', () => {
    const wrong = offenders(({ made, surroundings, plan }, model) => {
      const { fallback, models } = made.request.options;
      if (plan.strategy !== 'pinned' || fallback === 'any' || (models && fallback !== 'none'))
        return undefined;
      const named = surroundings.models.find(({ id }) => id === made.request.body.model);
      return named?.baseModel === model.baseModel ? undefined : 'another model';
    });
    expect(wrong).toEqual([]);
  });

  afterAll(() => {
    reportProof(10, {
      'random requests': asked,
      plans: cases.length,
      'candidates lacking something': offenders((one, model) => objection(model, one)).length,
    });
  });
});

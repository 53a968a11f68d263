/** The shape of `routing/weights.yaml`. */
import { z } from 'zod';
import { TASK_TYPES } from '../common/index';
import { isSumOne, STRATEGIES } from './factor-scores';

const share = z.number().min(0).max(1);

const factorWeights = z
  .strictObject({ capability: share, context: share, speed: share, cost: share })
  .refine(isSumOne, 'the weights must sum to 1');

const pace = z.strictObject({ firstTokenMs: z.number().positive(), tokensPerSecond: z.number().positive() });

const usdPerMillionTokens = z.strictObject({ input: z.number().positive(), output: z.number().positive() });

export const weightsFileSchema = z.strictObject({
  strategies: z.strictObject(
    Object.fromEntries(STRATEGIES.map((strategy) => [strategy, factorWeights])) as Record<
      (typeof STRATEGIES)[number],
      typeof factorWeights
    >,
  ),
  /** The capability that counts 0, for the easiest and for the hardest tasks. */
  capability: z
    .strictObject({ easyFloor: share.lt(1), hardFloor: share.lt(1) })
    .refine(({ easyFloor, hardFloor }) => easyFloor <= hardFloor, 'easyFloor must not be above hardFloor'),
  speed: z.strictObject({ fast: share, medium: share, slow: share }),
  /** The two paces between which measured speeds are compared. */
  pace: z
    .strictObject({ quickest: pace, slowest: pace })
    .refine(
      ({ quickest, slowest }) =>
        quickest.firstTokenMs < slowest.firstTokenMs && quickest.tokensPerSecond > slowest.tokensPerSecond,
      { message: 'quickest must be quicker than slowest' },
    )
    .default({
      quickest: { firstTokenMs: 300, tokensPerSecond: 150 },
      slowest: { firstTokenMs: 3000, tokensPerSecond: 24 },
    }),
  health: z
    .strictObject({
      /** What the score of a model loses that always fails. */
      penalty: share,
    })
    .default({ penalty: 0.3 }),
  context: z.strictObject({
    /** A window this many times as large as prompt and answer counts 1. */
    comfortableRatio: z.number().gt(1),
  }),
  cost: z
    .strictObject({ cheapest: usdPerMillionTokens, dearest: usdPerMillionTokens })
    .refine(({ cheapest, dearest }) => cheapest.input < dearest.input && cheapest.output < dearest.output, {
      message: 'cheapest must be below dearest',
    }),
  output: z.strictObject({
    /** Answers of models that reason are this many times as long: their hidden tokens are paid too. */
    reasoningFactor: z.number().min(1),
    expectedTokens: z.strictObject(
      Object.fromEntries(TASK_TYPES.map((type) => [type, z.int().positive()])) as Record<
        (typeof TASK_TYPES)[number],
        z.ZodInt
      >,
    ),
  }),
});

export type WeightsContent = z.infer<typeof weightsFileSchema>;

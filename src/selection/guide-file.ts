/** The shape of `routing/guide.yaml`. */
import { z } from 'zod';
import { TASK_TYPES } from '../common/index';

const models = z.array(z.string().min(1).max(200)).max(100).default([]);

const advice = z.strictObject({ recommended: models, blocked: models, fallback: models });

export const guideFileSchema = z.strictObject({
  /** What being recommended adds to the score. */
  prior: z.number().min(0).max(0.5),
  /** Advice for every task type. */
  all: advice.prefault({}),
  taskTypes: z.partialRecord(z.enum(TASK_TYPES), advice).default({}),
});

export type GuideContent = z.infer<typeof guideFileSchema>;

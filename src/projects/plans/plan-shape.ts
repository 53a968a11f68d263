/** What a plan is made of: the JSON schema that models are given, and the check of what they wrote. */
import { z } from 'zod';
import {
  DEFAULT_TASK_PRIORITY,
  DEFAULT_TASK_TOKENS,
  MAX_TASK_DESCRIPTION,
  MAX_TASK_ITEM,
  MAX_TASK_ITEMS,
  MAX_TASK_PRIORITY,
  MAX_TASK_TITLE,
  MAX_TASK_TOKENS,
} from '../../agents/index';
import type { JsonObject } from '../../common/index';
import { type DraftTask, MAX_PLAN_SUMMARY, MAX_TASK_DEPENDENCIES } from './plan';

/** Of the problems that a model is told. */
const MAX_PROBLEMS = 20;

/** Also how the sandbox knows that it is asked for a plan. */
export const PLAN_SCHEMA_NAME = 'lattice_plan';

/** A plan whose fields are right; agents and dependencies are checked next. */
export interface DraftPlan {
  readonly summary: string;
  readonly tasks: readonly DraftTask[];
}

const LIST = { type: 'array', items: { type: 'string' } } as const;

/**
 * Strict: every field is required and nothing else may stand there. Bounds stand in the descriptions, because not every
 * provider takes them as rules.
 * @param agents types that may be named
 */
export function planSchema(agents: readonly string[], maxTasks: number): JsonObject {
  const properties = {
    title: { type: 'string', description: `Short and unique; at most ${MAX_TASK_TITLE} characters` },
    description: {
      type: 'string',
      description: `Everything that the agent needs to know; at most ${MAX_TASK_DESCRIPTION} characters`,
    },
    agent: { type: 'string', enum: agents, description: 'Who does it' },
    deliverables: { ...LIST, description: 'What must be handed over' },
    successCriteria: { ...LIST, description: 'How to tell that it is done well' },
    dependsOn: {
      type: 'array',
      items: { type: 'integer' },
      description: 'Indexes, from 0, of the tasks whose results this one needs; empty: it can begin at once',
    },
    priority: { type: 'integer', description: `0 to ${MAX_TASK_PRIORITY}; higher ones first; usually 50` },
    maxTokens: { type: 'integer', description: `Of the answer, 1 to ${MAX_TASK_TOKENS}; usually 4096` },
  };
  const task = { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
  return {
    type: 'object',
    properties: {
      summary: { type: 'string', description: 'What will be done, in a few sentences' },
      tasks: { type: 'array', items: task, description: `1 to ${maxTasks} tasks` },
    },
    required: ['summary', 'tasks'],
    additionalProperties: false,
  };
}

/** Models write one item without a list, and null for what they leave out. */
const items = z
  .preprocess(
    (value) => (typeof value === 'string' ? (value.trim() === '' ? [] : [value]) : (value ?? [])),
    z.array(z.string().trim().min(1).max(MAX_TASK_ITEM)).max(MAX_TASK_ITEMS),
  )
  .default([]);

function whole(least: number, most: number, usual: number): z.ZodType<number> {
  return z.preprocess((value) => numberIn(value) ?? usual, z.number().int().min(least).max(most));
}

/** As text, too. */
function numberIn(value: unknown): unknown {
  return typeof value === 'string' && /^\s*\d{1,9}\s*$/.test(value) ? Number(value) : value;
}

const task = z.object({
  title: z.string().trim().min(1).max(MAX_TASK_TITLE),
  description: z.preprocess((value) => value ?? '', z.string().trim().max(MAX_TASK_DESCRIPTION)),
  agent: z.string().trim().toLowerCase().min(1).max(64),
  model: z.preprocess((value) => value ?? undefined, z.string().trim().min(1).max(200).optional()),
  deliverables: items,
  successCriteria: items,
  dependsOn: z.preprocess(
    (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]),
    z.array(z.unknown()).max(MAX_TASK_DEPENDENCIES),
  ),
  priority: whole(0, MAX_TASK_PRIORITY, DEFAULT_TASK_PRIORITY),
  maxTokens: whole(1, MAX_TASK_TOKENS, DEFAULT_TASK_TOKENS),
});

/** The plan, or in words what is wrong with it. */
export function readPlan(
  value: JsonObject,
  maxTasks: number,
): { readonly plan: DraftPlan } | { readonly problems: readonly string[] } {
  const plan = z.object({
    summary: z.preprocess((summary) => summary ?? '', z.string().trim().max(MAX_PLAN_SUMMARY)),
    tasks: z.array(task).min(1).max(maxTasks),
  });
  const read = plan.safeParse(value);
  if (read.success) return { plan: read.data };
  return {
    problems: read.error.issues
      .slice(0, MAX_PROBLEMS)
      .map(({ path, message }) => `${placeOf(path)}: ${message}`),
  };
}

/** `tasks[3].title` */
function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return place.replace(/^\./, '') || 'plan';
}

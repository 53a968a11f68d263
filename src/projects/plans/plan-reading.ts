/** From what a model wrote to what a plan holds. Pure: the same answer is read alike before and after a crash. */
import { ValidationError } from '../../errors/index';
import { decompose } from './decomposer';
import type { PlanContent } from './plan.repository';
import type { KeptAnswer } from './plan-rows';
import { readPlan } from './plan-shape';
import { planIn } from './plan-text';

export type ReadAnswer = { readonly content: PlanContent } | { readonly problems: readonly string[] };

export interface AnswerRules {
  readonly maxTasks: number;
  /** Agent types that there are; undefined: that was checked before. */
  readonly known?: readonly string[];
}

const MAX_PROBLEMS = 20;

export function readAnswer({ text, finishReason }: KeptAnswer, { maxTasks, known }: AnswerRules): ReadAnswer {
  const found = planIn(text);
  if (!found) return { problems: [noPlan(text, finishReason)] };
  const read = readPlan(found, maxTasks);
  if ('problems' in read) return read;
  const { summary, tasks } = read.plan;
  const unknown = known ? unknownAgents(tasks, known) : [];
  if (unknown.length > 0) return { problems: unknown };
  try {
    const graph = decompose(tasks);
    return { content: { summary, tasks: graph.tasks, warnings: graph.warnings } };
  } catch (error) {
    if (error instanceof ValidationError) return { problems: [error.message] };
    throw error;
  }
}

/** In words, with the agents that there are. */
export function unknownAgents(
  tasks: readonly { readonly agent: string }[],
  known: readonly string[],
): readonly string[] {
  const types = new Set(known);
  return tasks
    .flatMap(({ agent }, at) =>
      types.has(agent) ? [] : [`tasks[${at}].agent: there is no agent “${agent}”`],
    )
    .slice(0, MAX_PROBLEMS)
    .map((problem, at) => (at === 0 ? `${problem}; there are ${known.join(', ')}` : problem));
}

function noPlan(text: string, finishReason: string | null): string {
  if (text.trim() === '') return 'The answer is empty';
  if (finishReason === 'length')
    return 'The answer was cut off before its JSON ended: write shorter descriptions';
  return 'The answer holds no whole JSON object with a list of tasks';
}

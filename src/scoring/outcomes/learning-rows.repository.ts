import { Injectable } from '@nestjs/common';
import type { SqlExecutor, TaskType } from '../../common/index';
import type { OutcomeProfile, OutcomeRow } from '../capabilities/outcome-row';
import type { OutcomeSource } from './outcome';

/** So many of one user's newest ratings of a model for a type of task count: nobody's taste rules everybody's routing. */
export const MAX_FEEDBACK_PER_USER = 20;
/** So many of the newest outcomes are learned from with their profile; older ones count by their type only. */
export const MAX_PROFILED = 10_000;

/** How many outcomes a version rests on. */
export type OutcomeCounts = Readonly<Record<OutcomeSource, number>>;

interface SumRow {
  readonly model: string;
  readonly task_type: TaskType;
  readonly profile: OutcomeProfile | null;
  readonly dataset: string | null;
  readonly count: number;
  readonly mean: number;
  readonly sum_of_squares: number;
}

const COUNTED = `
  rated as (
    select *, row_number() over (partition by user_id, model, task_type order by created_at desc, id desc) as place
    from routing_outcomes where source = 'feedback'
  ), counted as (
    select id, model, task_type, score, profile, dataset from routing_outcomes where source <> 'feedback'
    union all
    select id, model, task_type, score, profile, dataset from rated where place <= ${MAX_FEEDBACK_PER_USER}
  ), profiled as materialized (
    select * from counted where profile is not null order by id desc limit ${MAX_PROFILED}
  )`;
/** Sums of decimals: those of floating point would depend on the order of the rows. */
const ROWS = `
  with ${COUNTED}
  select model, task_type, null::json as profile, null as dataset, count(*)::int as count,
    avg(score::numeric)::float8 as mean, sum(score::numeric * score::numeric)::float8 as sum_of_squares
  from counted where not exists (select 1 from profiled where profiled.id = counted.id)
  group by model, task_type
  union all
  select model, task_type, profile, dataset, 1, score, score * score from profiled
  order by model, task_type`;
const COUNTS = `
  select count(*) filter (where source = 'api')::int as api, count(*) filter (where source = 'csv')::int as csv,
    count(*) filter (where source = 'feedback')::int as feedback
  from routing_outcomes`;

/** Outcomes as the fit wants them: summed where the task's type is all that is known. */
@Injectable()
export class LearningRows {
  async read(executor: SqlExecutor): Promise<readonly OutcomeRow[]> {
    const rows = (await executor.query(ROWS)) as readonly SumRow[];
    return rows.map(({ task_type: taskType, sum_of_squares: sumOfSquares, profile, dataset, ...row }) => ({
      ...row,
      taskType,
      ...(profile && { profile }),
      ...(dataset !== null && { dataset }),
      sumOfSquares,
    }));
  }

  async counts(executor: SqlExecutor): Promise<OutcomeCounts> {
    const [row] = (await executor.query(COUNTS)) as readonly OutcomeCounts[];
    return row ?? { api: 0, csv: 0, feedback: 0 };
  }
}

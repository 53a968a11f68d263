import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  newId,
  type RequestContext,
  type SqlExecutor,
  type TaskType,
  toStorableJson,
} from '../../common/index';
import type { OutcomeProfile } from '../capabilities/outcome-row';
import type { NewOutcome, Outcome, OutcomeFilter, OutcomeSource, Stored } from './outcome';

interface OutcomeDbRow {
  readonly id: string;
  readonly user_id: string;
  readonly source: OutcomeSource;
  readonly model: string;
  readonly task_type: TaskType;
  readonly score: number;
  readonly cost_pico_usd: string | null;
  readonly prompt_tokens: string | null;
  readonly completion_tokens: string | null;
  readonly pool: string | null;
  readonly dataset: string | null;
  readonly prompt_id: string | null;
  readonly request_id: string | null;
  readonly comment: string | null;
  readonly profile: OutcomeProfile | null;
  readonly created_at: Date;
}

const WRITTEN =
  'model, task_type, score, cost_pico_usd, prompt_tokens, completion_tokens, pool, dataset, prompt_id, request_id, comment, profile';
const TYPED = `id uuid, source text, model text, task_type text, score double precision, cost_pico_usd bigint,
  prompt_tokens bigint, completion_tokens bigint, pool text, dataset text, prompt_id text, request_id uuid, comment text,
  profile json, same_as text`;
const REPLACED = WRITTEN.split(', ')
  .map((column) => `${column} = excluded.${column}`)
  .join(', ');

const STORE = `
  insert into routing_outcomes (id, user_id, source, ${WRITTEN}, same_as)
  select id, $1, source, ${WRITTEN}, same_as from json_to_recordset($2) as given (${TYPED})
  on conflict (same_as) do update
    set user_id = excluded.user_id, source = excluded.source, ${REPLACED}, created_at = excluded.created_at
  returning id, created_at, xmax = 0 as is_added`;
const FILTERED = `($1::text[] is null or model = any($1)) and ($2::text is null or task_type = $2)
  and ($3::text is null or source = $3) and ($4::text is null or pool = $4)`;
const LIST = `
  select id, user_id, source, ${WRITTEN}, created_at from routing_outcomes
  where ${FILTERED} and ($5::uuid is null or user_id = $5) and ($6::uuid is null or id < $6)
  order by id desc limit $7`;
const REMOVE = `
  with removed as (delete from routing_outcomes where ${FILTERED} returning 1) select count(*)::int as count from removed`;
/** Last in its transaction: until that ends, whoever else changes outcomes waits. */
const RAISE = 'update capability_state set revision = revision + $1';

const LOCK = `select pg_advisory_xact_lock(hashtextextended('lattice.routing_outcomes', 0))`;

/** What came of a piece of work, and how many outcomes it changed. */
export interface Changed<T> {
  readonly result: T;
  readonly outcomes: number;
}

interface StoredRow {
  readonly id: string;
  readonly created_at: Date;
  readonly is_added: boolean;
}

/** The table of outcomes. Whatever changes it raises the revision, so that it is learned. */
@Injectable()
export class OutcomesRepository {
  constructor(private readonly database: DataSource) {}

  /** All that the work changes, or nothing; what changed is learned sooner or later, whatever happens to this process. */
  async change<T>(work: (executor: SqlExecutor) => Promise<Changed<T>>): Promise<T> {
    return await this.database.transaction(async (executor) => {
      const { result, outcomes } = await work(executor);
      await executor.query(RAISE, [outcomes]);
      return result;
    });
  }

  /** As `change`, one after the other: many rows at once, in whatever order, would lock each other out. */
  async exclusively<T>(work: (executor: SqlExecutor) => Promise<Changed<T>>): Promise<T> {
    return await this.change(async (executor) => {
      await executor.query(LOCK);
      return await work(executor);
    });
  }

  /** Of several that are the same, the last counts. @param userId who reports them, UUID */
  async store(userId: string, outcomes: readonly NewOutcome[], executor: SqlExecutor): Promise<Stored> {
    const last = new Map(outcomes.map((outcome) => [outcome.sameAs ?? outcome, outcome]));
    const rows = await this.insert(userId, [...last.values()], executor);
    const added = rows.filter(({ is_added: isAdded }) => isAdded).length;
    return { added, replaced: outcomes.length - added };
  }

  async storeOne(userId: string, outcome: NewOutcome, executor: SqlExecutor): Promise<Outcome> {
    const [row] = await this.insert(userId, [outcome], executor);
    if (!row) throw new Error('A statement that returns a row returned none');
    return { ...outcome, id: row.id, userId, createdAt: row.created_at };
  }

  /** Newest first; the caller's own, for administrators everybody's. @param page `beforeId` is a UUID */
  async list(
    { principal }: RequestContext,
    filter: OutcomeFilter,
    { limit, beforeId }: { readonly limit: number; readonly beforeId?: string },
  ): Promise<readonly Outcome[]> {
    const owner = principal.role === 'admin' ? null : principal.userId;
    const parameters = [...filtering(filter), owner, beforeId ?? null, limit];
    const rows = await this.database.query<OutcomeDbRow[]>(LIST, parameters);
    return rows.map(toOutcome);
  }

  /** @returns how many. */
  async remove(filter: OutcomeFilter, executor: SqlExecutor): Promise<number> {
    const [row] = (await executor.query(REMOVE, filtering(filter))) as { readonly count: number }[];
    return row?.count ?? 0;
  }

  private async insert(
    userId: string,
    outcomes: readonly NewOutcome[],
    executor: SqlExecutor,
  ): Promise<readonly StoredRow[]> {
    return (await executor.query(STORE, [userId, toStorableJson(outcomes.map(toRow))])) as StoredRow[];
  }
}

function filtering({ models, taskType, source, pool }: OutcomeFilter): unknown[] {
  return [models ?? null, taskType ?? null, source ?? null, pool ?? null];
}

function toRow(outcome: NewOutcome): Record<string, unknown> {
  return {
    id: newId(),
    source: outcome.source,
    model: outcome.model,
    task_type: outcome.taskType,
    score: outcome.score,
    cost_pico_usd: outcome.costPicoUsd?.toString(),
    prompt_tokens: outcome.promptTokens,
    completion_tokens: outcome.completionTokens,
    pool: outcome.pool,
    dataset: outcome.dataset,
    prompt_id: outcome.promptId,
    request_id: outcome.requestId,
    comment: outcome.comment,
    profile: outcome.profile,
    same_as: outcome.sameAs,
  };
}

function toOutcome(row: OutcomeDbRow): Outcome {
  return {
    id: row.id,
    userId: row.user_id,
    source: row.source,
    model: row.model,
    taskType: row.task_type,
    score: row.score,
    costPicoUsd: row.cost_pico_usd === null ? undefined : BigInt(row.cost_pico_usd),
    promptTokens: row.prompt_tokens === null ? undefined : Number(row.prompt_tokens),
    completionTokens: row.completion_tokens === null ? undefined : Number(row.completion_tokens),
    pool: row.pool ?? undefined,
    dataset: row.dataset ?? undefined,
    promptId: row.prompt_id ?? undefined,
    requestId: row.request_id ?? undefined,
    comment: row.comment ?? undefined,
    profile: row.profile ?? undefined,
    createdAt: row.created_at,
  };
}

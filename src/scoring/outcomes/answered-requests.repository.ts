import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { firstIdAt, type JsonObject, type PicoUsd, type WorkType } from '../../common/index';

/** Who answered a request, as the books have it. UUIDs. */
export interface AnsweredRequest {
  readonly requestId: string;
  readonly userId: string;
  /** Catalog id. */
  readonly model: string;
  readonly taskType: WorkType;
  /** False: no model gave an answer, not even the beginning of one. */
  readonly hasAnswer: boolean;
  readonly costPicoUsd?: PicoUsd;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  /** Absent: the decision is not kept any more. */
  readonly decision?: JsonObject;
}

interface AnsweredRow {
  readonly request_id: string;
  readonly user_id: string;
  readonly model: string;
  readonly task_type: WorkType;
  readonly has_answer: boolean;
  readonly cost_pico_usd: string | null;
  readonly prompt_tokens: string | null;
  readonly completion_tokens: string | null;
  readonly record: JsonObject | null;
}

/** A request is decided at once, or after it has waited for room. */
const DECIDED_WITHIN_MS = 3_600_000;
/** Clocks are set back by a little. */
const DECIDED_BEFORE_MS = 60_000;

/**
 * The attempt whose answer the caller got: the last that succeeded, else the last that gave something. Decisions are
 * found by owner and time, which their index holds.
 */
const FIND = `
  select l.request_id, l.user_id, l.model, l.task_type, l.outcome in ('succeeded', 'truncated', 'cancelled') as has_answer,
    l.cost_pico_usd, l.prompt_tokens, l.completion_tokens, d.record
  from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as asked (id, decided_from, decided_until)
  join lateral (
    select * from usage_lines where request_id = asked.id and ($4::uuid is null or user_id = $4)
    order by outcome = 'succeeded' desc, outcome in ('truncated', 'cancelled') desc, attempt desc limit 1
  ) l on true
  left join lateral (
    select record from decisions
    where user_id = l.user_id and id between asked.decided_from and asked.decided_until and request_id = l.request_id
    order by id limit 1
  ) d on true`;
const REQUESTS_OF = 'select id, request_id from decisions where id = any($1::uuid[])';

/** Reads which model answered which request, for who tells how well it did. */
@Injectable()
export class AnsweredRequests {
  constructor(private readonly database: DataSource) {}

  /**
   * Those that are in the books, by request id.
   * @param ownerId only this user's; anybody's when left out.
   */
  async find(requestIds: readonly string[], ownerId?: string): Promise<ReadonlyMap<string, AnsweredRequest>> {
    const times = requestIds.map(timeOf);
    const rows = await this.database.query<AnsweredRow[]>(FIND, [
      requestIds,
      times.map((ms) => firstIdAt(ms - DECIDED_BEFORE_MS)),
      times.map((ms) => firstIdAt(ms + DECIDED_WITHIN_MS)),
      ownerId ?? null,
    ]);
    return new Map(rows.map((row) => [row.request_id, toAnswered(row)]));
  }

  /** The request of each decision that is kept. */
  async requestsOf(decisionIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (decisionIds.length === 0) return new Map();
    const rows = await this.database.query<{ id: string; request_id: string }[]>(REQUESTS_OF, [decisionIds]);
    return new Map(rows.map((row) => [row.id, row.request_id]));
  }
}

const TIME_DIGITS = 12;

/** When a UUIDv7 was made, milliseconds. */
function timeOf(uuid: string): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, TIME_DIGITS), 16);
}

function toAnswered(row: AnsweredRow): AnsweredRequest {
  return {
    requestId: row.request_id,
    userId: row.user_id,
    model: row.model,
    taskType: row.task_type,
    hasAnswer: row.has_answer,
    costPicoUsd: row.cost_pico_usd === null ? undefined : BigInt(row.cost_pico_usd),
    promptTokens: row.prompt_tokens === null ? undefined : Number(row.prompt_tokens),
    completionTokens: row.completion_tokens === null ? undefined : Number(row.completion_tokens),
    decision: row.record ?? undefined,
  };
}

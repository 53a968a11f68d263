import { Injectable } from '@nestjs/common';
import { type ChatMessage, type ChatToolCall, type RequestContext, toStorableJson } from '../common/index';
import { HotPool } from '../database/index';

/** Server-side calls of a round that also asked the client for something, with their results. */
export interface KeptCalls {
  readonly calls: readonly ChatToolCall[];
  readonly results: readonly ChatMessage[];
}

/** How long a client may take to come back with its own tools' results. */
const KEPT_FOR = '24 hours';

/** Keeps, per owner and client tool call id, what the client was not shown. */
@Injectable()
export class KeptToolCallsRepository {
  constructor(private readonly pool: HotPool) {}

  async keep(ctx: RequestContext, clientCallIds: readonly string[], kept: KeptCalls): Promise<void> {
    await this.pool.query(
      `with expired as (delete from kept_tool_calls where expires_at < now())
       insert into kept_tool_calls (user_id, client_call_id, kept, expires_at)
       select $1, id, $3::jsonb, now() + $4::interval from unnest($2::text[]) as id
       on conflict (user_id, client_call_id) do update set kept = excluded.kept, expires_at = excluded.expires_at`,
      [ctx.principal.userId, clientCallIds, toStorableJson(kept), KEPT_FOR],
    );
  }

  async find(ctx: RequestContext, clientCallIds: readonly string[]): Promise<ReadonlyMap<string, KeptCalls>> {
    const { rows } = await this.pool.query<{ client_call_id: string; kept: KeptCalls }>(
      `select client_call_id, kept from kept_tool_calls
       where user_id = $1 and client_call_id = any($2::text[]) and expires_at > now()`,
      [ctx.principal.userId, clientCallIds],
    );
    return new Map(rows.map((row) => [row.client_call_id, row.kept]));
  }
}

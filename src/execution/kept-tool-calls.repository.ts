import { Injectable } from '@nestjs/common';
import { type ChatMessage, type ChatToolCall, type RequestContext, toStorableJson } from '../common/index';
import { HotPool } from '../database/index';

/** One call of a round, as the model made it. */
export interface KeptCall {
  readonly call: ChatToolCall;
  /** The id under which the client knows it; absent for a server-side call, which it was not shown. */
  readonly clientId?: string;
}

/** A round that asked the client for something beside its server-side calls. */
export interface KeptRound {
  /** In the model's order. */
  readonly calls: readonly KeptCall[];
  /** Of the server-side calls. */
  readonly results: readonly ChatMessage[];
}

/** How long a client may take to come back with its own tools' results. */
const KEPT_FOR = '24 hours';

/** Keeps, per owner and client tool call id, the round that the client was shown a part of. */
@Injectable()
export class KeptToolCallsRepository {
  constructor(private readonly pool: HotPool) {}

  async keep(ctx: RequestContext, round: KeptRound): Promise<void> {
    const clientCallIds = round.calls.flatMap(({ clientId }) => clientId ?? []);
    await this.pool.query(
      `with expired as (delete from kept_tool_calls where expires_at < now())
       insert into kept_tool_calls (user_id, client_call_id, kept, expires_at)
       select $1, id, $3::jsonb, now() + $4::interval from unnest($2::text[]) as id
       on conflict (user_id, client_call_id) do update set kept = excluded.kept, expires_at = excluded.expires_at`,
      [ctx.principal.userId, clientCallIds, toStorableJson(round), KEPT_FOR],
    );
  }

  async find(ctx: RequestContext, clientCallIds: readonly string[]): Promise<ReadonlyMap<string, KeptRound>> {
    const { rows } = await this.pool.query<{ client_call_id: string; kept: KeptRound }>(
      `select client_call_id, kept from kept_tool_calls
       where user_id = $1 and client_call_id = any($2::text[]) and expires_at > now()`,
      [ctx.principal.userId, clientCallIds],
    );
    return new Map(rows.map((row) => [row.client_call_id, row.kept]));
  }
}

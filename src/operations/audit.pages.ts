import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Cursors } from '../auth/index';
import { fromApiId, type RequestContext, toApiId } from '../common/index';
import type { AuditQueryDto } from './dto/audit.query.dto';
import type { AuditEntryDto, AuditPageDto } from './dto/audit.response.dto';

interface AuditRow {
  readonly position: string;
  readonly id: string;
  readonly at: Date;
  readonly request_id: string;
  readonly actor_id: string;
  readonly actor_key_id: string | null;
  readonly actor_role: string;
  readonly action: string;
  readonly resource_id: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

const LIST = 'audit';

const SELECT = `
  select * from audit_entries
  where ($1::uuid is null or actor_id = $1)
    and ($2::text is null or action like $2)
    and ($3::text is null or resource_id = $3)
    and ($4::uuid is null or request_id = $4)
    and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
    and ($7::bigint is null or position < $7)
  order by position desc limit $8`;

/** Reads the audit log, newest first. For administrators only: the route sees to that. */
@Injectable()
export class AuditPages {
  constructor(
    private readonly database: DataSource,
    private readonly cursors: Cursors,
  ) {}

  async list(ctx: RequestContext, query: AuditQueryDto): Promise<AuditPageDto> {
    const before = this.cursors.decode<string>(ctx, LIST, query.cursor);
    const rows: AuditRow[] = await this.database.query(SELECT, [
      (query.actorId && fromApiId('usr', query.actorId)) ?? null,
      likePattern(query.action),
      query.resourceId ?? null,
      (query.requestId && fromApiId('req', query.requestId)) ?? null,
      query.from ?? null,
      query.to ?? null,
      before ?? null,
      query.limit + 1,
    ]);
    const { items, nextCursor } = this.cursors.page(ctx, LIST, {
      rows,
      limit: query.limit,
      positionOf: ({ position }) => position,
    });
    return { data: items.map(toEntry), nextCursor };
  }
}

/** The query allows letters, `.`, `-`, `_` and a trailing `*`. */
function likePattern(action: string | undefined): string | null {
  return action?.replaceAll('_', String.raw`\_`).replace(/\*$/, '%') ?? null;
}

function toEntry(row: AuditRow): AuditEntryDto {
  return {
    id: toApiId('aud', row.id),
    at: row.at.toISOString(),
    requestId: toApiId('req', row.request_id),
    actorId: toApiId('usr', row.actor_id),
    actorKeyId: row.actor_key_id && toApiId('key', row.actor_key_id),
    actorRole: row.actor_role,
    action: row.action,
    resourceId: row.resource_id,
    before: row.before,
    after: row.after,
  };
}

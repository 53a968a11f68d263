import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { newId, type RequestContext, type SqlExecutor } from '../common/index';
import type { AuditEntry, AuditSink } from '../errors/index';

const INSERT = `
  insert into audit_entries (id, request_id, actor_id, actor_key_id, actor_role, action, resource_id, before, after)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

/** The audit log in PostgreSQL; the table itself refuses to change or forget an entry. */
@Injectable()
export class AuditLog implements AuditSink {
  constructor(private readonly database: DataSource) {}

  async record(ctx: RequestContext, entry: AuditEntry, executor: SqlExecutor = this.database): Promise<void> {
    const { principal } = ctx;
    await executor.query(INSERT, [
      newId(),
      ctx.requestId,
      principal.userId,
      principal.keyId ?? null,
      principal.role,
      entry.action,
      entry.resourceId,
      entry.before ?? null,
      entry.after ?? null,
    ]);
  }
}

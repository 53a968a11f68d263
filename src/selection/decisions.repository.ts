import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { OwnedResource } from '../auth/index';
import type { JsonObject, RequestContext } from '../common/index';

/** For `@OwnedBy`. */
export const DECISION: OwnedResource = { prefix: 'dec', name: 'decision', table: 'decisions' };

/** A stored decision. UUIDs. */
export interface StoredDecision {
  readonly id: string;
  readonly requestId: string;
  readonly createdAt: Date;
  readonly record: JsonObject;
}

/** Reads the decisions that the ledger stored with their holds. */
@Injectable()
export class DecisionsRepository {
  constructor(private readonly database: DataSource) {}

  /** The caller's own; any for administrators. */
  async find({ principal }: RequestContext, id: string): Promise<StoredDecision | undefined> {
    const rows = await this.database.query<StoredDecision[]>(
      `select id, request_id as "requestId", created_at as "createdAt", record
         from decisions where id = $1 and ($2 or user_id = $3)`,
      [id, principal.role === 'admin', principal.userId],
    );
    return rows[0];
  }
}

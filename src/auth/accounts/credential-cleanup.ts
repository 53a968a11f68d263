import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RowCleanup, rowRemoval } from '../../database/index';

/**
 * Table, key and end. A revoked token is forgotten only when it would be refused as expired anyway; expired sessions
 * take theirs along.
 */
const EXPIRING = [
  ['revoked_tokens', 'token_id', 'expires_at'],
  ['login_sessions', 'id', 'expires_at'],
  ['refresh_tokens', 'id', 'expires_at'],
  ['attempt_windows', 'bucket', 'ends_at'],
  ['known_visitors', 'account, visitor', 'known_until'],
] as const;

/** Takes away credentials and counts of attempts that have expired. */
@Injectable()
export class CredentialCleanup extends RowCleanup {
  constructor(database: DataSource) {
    super(EXPIRING.map(([table, key, end]) => rowRemoval(database, table, key, `${end} < now()`)));
  }
}

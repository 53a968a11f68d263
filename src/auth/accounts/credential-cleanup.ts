import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BackgroundTasks } from '../../observability/index';

const INTERVAL_MS = 3_600_000;

const BATCH = 1000;

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

/** Takes away what has expired, once an hour on every node. */
@Injectable()
export class CredentialCleanup implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly database: DataSource,
    private readonly background: BackgroundTasks,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.background.run('credential-cleanup', () => this.run()), INTERVAL_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  async run(): Promise<void> {
    for (const [table, key, end] of EXPIRING) {
      const statement = deleteBatch(table, key, end);
      let count = BATCH;
      while (count === BATCH) {
        [, count] = await this.database.query<[unknown, number]>(statement);
      }
    }
  }
}

/** Never waits for a row that somebody uses: whoever locks several of them would wait for this in turn. */
function deleteBatch(table: string, key: string, end: string): string {
  return `
    with gone as materialized (
      select ${key} from ${table} where ${end} < now() order by ${key} limit ${BATCH} for update skip locked)
    delete from ${table} where (${key}) in (select ${key} from gone)`;
}

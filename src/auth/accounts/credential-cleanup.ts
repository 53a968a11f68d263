import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BackgroundTasks } from '../../observability/index';

const INTERVAL_MS = 3_600_000;

/** A revoked token is forgotten only when it would be refused as expired anyway; expired sessions take theirs along. */
const STATEMENTS = [
  'delete from revoked_tokens where expires_at < now()',
  'delete from login_sessions where expires_at < now()',
  'delete from refresh_tokens where expires_at < now()',
  'delete from attempt_windows where ends_at < now()',
];

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
    for (const statement of STATEMENTS) await this.database.query(statement);
  }
}

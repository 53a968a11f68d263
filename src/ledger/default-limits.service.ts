import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppConfig } from '../config/index';
import { repeatOnConflict } from './repeat-on-conflict';

/** Brings the configured default limits into the books at boot; from then on triggers keep them in place. */
@Injectable()
export class DefaultLimits implements OnModuleInit {
  constructor(
    private readonly config: AppConfig,
    private readonly database: DataSource,
  ) {}

  async onModuleInit(): Promise<void> {
    const { userPerHour, globalPerHour } = this.config.defaultLimits;
    await repeatOnConflict(() =>
      this.database.query('select ledger_set_default_limits($1, $2)', [
        userPerHour ?? null,
        globalPerHour ?? null,
      ]),
    );
  }
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppConfig } from '../config/index';
import { Notifications } from '../database/index';

/** PostgreSQL's channel that a trigger on the table of limits uses. */
const CHANNEL = 'lattice_limits';
/** How old "there is none" may be while no notification arrives: how late a new limit counts at worst. */
const ABSENT_MS = 1000;
/** That there is one is the careful answer, and may be older. */
const PRESENT_MS = 30_000;

/**
 * Whether there is any limit at all. Without one, requests need not ask the ledger; with one, every request asks. What
 * this process sets holds at once, what another one sets when its notification arrives, after a second at the latest.
 */
@Injectable()
export class LimitPresence implements OnModuleInit {
  private readonly hasDefaults: boolean;
  private known?: { readonly isAny: boolean; readonly untilMs: number };
  private loading?: Promise<boolean>;

  constructor(
    config: AppConfig,
    private readonly database: DataSource,
    private readonly notifications: Notifications,
  ) {
    const { userPerHour, globalPerHour } = config.defaultLimits;
    this.hasDefaults = userPerHour !== undefined || globalPerHour !== undefined;
  }

  onModuleInit(): void {
    this.notifications.on(CHANNEL, () => this.forget());
    this.notifications.onReconnect(() => this.forget());
  }

  /** At once when it is known. */
  isAny(): boolean | Promise<boolean> {
    if (this.hasDefaults) return true;
    if (this.known && performance.now() < this.known.untilMs) return this.known.isAny;
    return this.loading ?? this.load();
  }

  forget(): void {
    this.known = undefined;
    // What is being read may be older than the change.
    this.loading = undefined;
  }

  private load(): Promise<boolean> {
    const loading = this.database
      .query<{ isAny: boolean }[]>('select exists (select from limits) as "isAny"')
      .then(([row]) => {
        const isAny = row?.isAny ?? true;
        const untilMs = performance.now() + (isAny ? PRESENT_MS : ABSENT_MS);
        if (this.loading === loading) this.known = { isAny, untilMs };
        return isAny;
      })
      .finally(() => {
        if (this.loading === loading) this.loading = undefined;
      });
    this.loading = loading;
    return loading;
  }
}

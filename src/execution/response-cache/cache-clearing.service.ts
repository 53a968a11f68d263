import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { newId, type RequestContext } from '../../common/index';
import { Notifications } from '../../database/index';
import { AuditSink, ForbiddenError } from '../../errors/index';
import type { ClearCacheQueryDto } from './dto/clear-cache.query.dto';
import { ResponseStore } from './response-store.service';

const CHANNEL = 'lattice_response_cache';
const EVERYBODY = '*';

/** Forgets kept answers on demand, in every process. */
@Injectable()
export class CacheClearing implements OnModuleInit {
  /** Says which notifications are this process's own: their echo would forget what came after. */
  private readonly process = newId();

  constructor(
    private readonly store: ResponseStore,
    private readonly database: DataSource,
    private readonly notifications: Notifications,
    private readonly audit: AuditSink,
  ) {}

  onModuleInit(): void {
    this.notifications.on(CHANNEL, (payload) => {
      const [whose, process] = payload.split(' ');
      if (whose && process !== this.process) this.forget(whose);
    });
    // Nobody knows what was to be forgotten meanwhile.
    this.notifications.onReconnect(() => this.store.clear());
  }

  /** The caller's own, or everybody's. @throws ForbiddenError, ServiceUnavailableError (PostgreSQL away: then nothing was forgotten) */
  async clear(ctx: RequestContext, { all }: ClearCacheQueryDto): Promise<void> {
    const { role, userId } = ctx.principal;
    if (all && role !== 'admin') {
      throw new ForbiddenError("Only administrators may clear others' answers: leave all out", {
        param: 'all',
      });
    }
    const whose = all ? EVERYBODY : userId;
    await this.database.transaction(async (manager) => {
      if (all) await this.audit.record(ctx, { action: 'cache.clear', resourceId: null }, manager);
      await manager.query('select pg_notify($1, $2)', [CHANNEL, `${whose} ${this.process}`]);
    });
    this.forget(whose);
  }

  private forget(whose: string): void {
    this.store.clear(whose === EVERYBODY ? undefined : whose);
  }
}

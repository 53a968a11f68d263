import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { isJsonObject } from '../../common/index';
import { Notifications } from '../../database/index';
import { type Evicted, PrincipalCache } from '../guard/principal-cache';

const CHANNEL = 'lattice_auth';

/** Says whose credentials the transaction changes; heard when it commits, and never when it does not. */
export type Announce = (who: Evicted) => Promise<void>;

/**
 * Makes changes of credentials known. Routes that ask the database see them anyway; the principals that metered routes
 * keep for some seconds are forgotten at once in this process and, by NOTIFY, in all others.
 */
@Injectable()
export class Revocations implements OnModuleInit {
  constructor(
    private readonly database: DataSource,
    private readonly cache: PrincipalCache,
    private readonly notifications: Notifications,
  ) {}

  onModuleInit(): void {
    this.notifications.on(CHANNEL, (payload) => {
      const who = readNotice(payload);
      if (who) this.cache.evict(who);
    });
    this.notifications.onReconnect(() => this.cache.clear());
  }

  /** A transaction whose notices are heard when it commits, here at once. */
  async transaction<T>(work: (manager: EntityManager, announce: Announce) => Promise<T>): Promise<T> {
    const changed: Evicted[] = [];
    const result = await this.database.transaction((manager) =>
      work(manager, async (who) => {
        changed.push(who);
        await manager.query('select pg_notify($1, $2)', [CHANNEL, JSON.stringify(who)]);
      }),
    );
    for (const who of changed) this.cache.evict(who);
    return result;
  }
}

function readNotice(payload: string): Evicted | undefined {
  let notice: unknown;
  try {
    notice = JSON.parse(payload);
  } catch {
    return undefined;
  }
  if (!isJsonObject(notice)) return undefined;
  const { keyId, userId, sessionId } = notice;
  if (typeof keyId === 'string') return { keyId };
  if (typeof userId === 'string') return { userId };
  return typeof sessionId === 'string' ? { sessionId } : undefined;
}

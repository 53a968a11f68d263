import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { Notifications } from '../../database/index';
import { BackgroundLoop } from '../../observability/index';
import { PREFERENCES_CHANGED, PreferencesRepository } from './preferences.repository';
import type { RoutingPreferences } from './routing-preferences';

/** Only for what no notification told. */
const RELOAD_INTERVAL_MS = 60_000;

/**
 * Preferences of owners, held in memory, so that planning asks nobody. What this process changes holds when it is
 * answered, what another one changes as soon as its notification is here.
 */
@Injectable()
export class Preferences implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private known: ReadonlyMap<string, RoutingPreferences> = new Map();
  private readonly loop = new BackgroundLoop('reading routing preferences', RELOAD_INTERVAL_MS, () =>
    this.load(),
  );

  constructor(
    private readonly repository: PreferencesRepository,
    private readonly notifications: Notifications,
  ) {}

  /** @param ownerId UUID */
  of(ownerId: string): RoutingPreferences | undefined {
    return this.known.get(ownerId);
  }

  onModuleInit(): void {
    this.notifications.on(PREFERENCES_CHANGED, () => this.loop.wake());
    this.notifications.onReconnect(() => this.loop.wake());
  }

  async onApplicationBootstrap(): Promise<void> {
    this.loop.start();
    await this.loop.runNow();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Resolves when everything that was committed before is known here, or cannot be read now; never rejects. */
  async reload(): Promise<void> {
    await this.loop.runNow();
  }

  private async load(): Promise<void> {
    const all = await this.repository.all();
    this.known = new Map(all.map(({ userId, strategies, quality }) => [userId, { strategies, quality }]));
  }
}

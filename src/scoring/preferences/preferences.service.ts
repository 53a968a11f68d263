import { Injectable } from '@nestjs/common';
import { Follower, Notifications } from '../../database/index';
import { PREFERENCES_CHANGED, PreferencesRepository } from './preferences.repository';
import type { RoutingPreferences } from './routing-preferences';

/** Only for what no notification told. */
const RELOAD_INTERVAL_MS = 60_000;

/**
 * Preferences of owners, held in memory, so that planning asks nobody. What this process changes holds when it is
 * answered, what another one changes as soon as its notification is here.
 */
@Injectable()
export class Preferences extends Follower {
  private known: ReadonlyMap<string, RoutingPreferences> = new Map();

  constructor(
    private readonly repository: PreferencesRepository,
    notifications: Notifications,
  ) {
    const name = 'reading routing preferences';
    super(notifications, { name, channel: PREFERENCES_CHANGED, intervalMs: RELOAD_INTERVAL_MS });
  }

  /** @param ownerId UUID */
  of(ownerId: string): RoutingPreferences | undefined {
    return this.known.get(ownerId);
  }

  protected async read(): Promise<void> {
    const all = await this.repository.all();
    this.known = new Map(
      all.map(({ userId, strategies, quality, answerWorthUsd }) => [
        userId,
        { strategies, quality, answerWorthUsd },
      ]),
    );
  }
}

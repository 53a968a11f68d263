import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnModuleInit } from '@nestjs/common';
import { BackgroundLoop } from '../observability/index';
import type { Notifications } from './notifications';

/** What is followed. */
export interface Followed {
  /** What is being done, as the log names it. */
  readonly name: string;
  /** Where a change is told of. */
  readonly channel: string;
  /** For what no notification told. 0: nothing is followed, only what is asked for is read. */
  readonly intervalMs: number;
}

/**
 * Has in memory what stands in PostgreSQL: reads it at the start, whenever a change is told of, when the connection is
 * there again, and once per interval. While PostgreSQL is away, what was read last goes on.
 */
export abstract class Follower implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: BackgroundLoop;

  constructor(
    private readonly notifications: Notifications,
    private readonly followed: Followed,
  ) {
    this.loop = new BackgroundLoop(followed.name, followed.intervalMs, () => this.read());
  }

  onModuleInit(): void {
    this.notifications.on(this.followed.channel, (payload) => {
      if (this.isNews(payload)) this.loop.wake();
    });
    this.notifications.onReconnect(() => this.loop.wake());
  }

  /** By now every change is heard: the notifications, of a global module, are connected first. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.followed.intervalMs === 0) return;
    this.loop.start();
    await this.loop.runNow();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Resolves when everything that was committed before is known here, or cannot be read now. Never rejects. */
  async now(): Promise<void> {
    await this.loop.runNow();
  }

  /** Takes over what holds now. Never called twice at once. */
  protected abstract read(): Promise<void>;

  /** Does this notification tell of something that is not known here? */
  protected isNews(_payload: string): boolean {
    return true;
  }
}

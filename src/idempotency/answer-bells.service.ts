import { Injectable } from '@nestjs/common';
import { Notifications } from '../database/index';
import { ANSWERED_CHANNEL } from './idempotency-keys.repository';

/** Rings when something was said about a topic; a ring that nobody waits for is kept for the next wait. */
export interface Bell {
  /** Resolves when it rings, after `limitMs` at the latest, or when the signal fires. Never rejects. */
  wait(limitMs: number, signal: AbortSignal): Promise<void>;
  stop(): void;
}

/** Wakes those who wait for an answer, whichever process gives it. */
@Injectable()
export class AnswerBells {
  private readonly ringers = new Map<string, Set<() => void>>();

  constructor(notifications: Notifications) {
    notifications.on(ANSWERED_CHANNEL, (topic) => this.ring(this.ringers.get(topic)));
    notifications.onReconnect(() => {
      for (const ringers of this.ringers.values()) this.ring(ringers);
    });
  }

  /** How many keys somebody waits for. */
  get topicCount(): number {
    return this.ringers.size;
  }

  /** What happens from now on is not missed. */
  listen(topic: string): Bell {
    let hasRung = false;
    let wake = (): void => undefined;
    const ringer = (): void => {
      hasRung = true;
      wake();
    };
    this.add(topic, ringer);
    return {
      wait: async (limitMs, signal) => {
        if (!hasRung) await woken(limitMs, signal, (resolve) => (wake = resolve));
        hasRung = false;
      },
      stop: () => this.remove(topic, ringer),
    };
  }

  private ring(ringers: ReadonlySet<() => void> | undefined): void {
    for (const ringer of ringers ?? []) ringer();
  }

  private add(topic: string, ringer: () => void): void {
    const ringers = this.ringers.get(topic);
    if (ringers) ringers.add(ringer);
    else this.ringers.set(topic, new Set([ringer]));
  }

  private remove(topic: string, ringer: () => void): void {
    const ringers = this.ringers.get(topic);
    ringers?.delete(ringer);
    if (ringers?.size === 0) this.ringers.delete(topic);
  }
}

function woken(limitMs: number, signal: AbortSignal, onRing: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, limitMs);
    signal.addEventListener('abort', done, { once: true });
    onRing(done);
    if (signal.aborted) done();
  });
}

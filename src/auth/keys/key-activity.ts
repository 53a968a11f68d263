import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { BackgroundTasks } from '../../observability/index';
import { ApiKeysRepository } from './api-keys.repository';

const MAX_KEYS = 10_000;
const INTERVAL_MS = 60_000;

/** Notes when keys were last used: behind the request, at most once a minute per key and process. */
@Injectable()
export class KeyActivity {
  private readonly noted = new LRUCache<string, true>({
    max: MAX_KEYS,
    ttl: INTERVAL_MS,
    ttlResolution: 1000,
  });

  constructor(
    private readonly keys: ApiKeysRepository,
    private readonly background: BackgroundTasks,
  ) {}

  touch(keyId: string): void {
    if (this.noted.has(keyId)) return;
    this.noted.set(keyId, true);
    this.background.run('api-key-last-used', () => this.keys.touch(keyId));
  }
}

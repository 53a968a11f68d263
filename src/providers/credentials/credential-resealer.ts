import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { BackgroundTasks } from '../../observability/index';
import { CredentialStore } from './credential-store';

const BATCH = 100;

/** After the secret key was rotated: seals every credential anew, so that the previous key can be given up. */
@Injectable()
export class CredentialResealer implements OnApplicationBootstrap {
  private readonly logger = new Logger(CredentialResealer.name);

  constructor(
    private readonly store: CredentialStore,
    private readonly background: BackgroundTasks,
  ) {}

  onApplicationBootstrap(): void {
    this.background.run('credential-reseal', (signal) => this.run(signal));
  }

  async run(signal: AbortSignal): Promise<void> {
    let unreadable = 0;
    let lastId: string | undefined;
    do {
      const some = await this.store.resealSome(BATCH, lastId);
      unreadable += some.unreadable;
      lastId = some.lastId;
    } while (lastId !== undefined && !signal.aborted);
    if (unreadable === 0) return;
    this.logger.warn(
      `${unreadable} stored provider keys cannot be opened: name the secret key they were stored with in LATTICE_PREVIOUS_SECRET_KEYS`,
    );
  }
}

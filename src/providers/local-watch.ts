import type { CatalogService } from '../catalog/index';
import type { AppLogger } from '../observability/index';
import { discoverModels } from './model-discovery';
import type { ProviderAdapter } from './provider.port';

const REFRESH_MS = 30_000;
/** How long the boot waits for a local server to list its models; the check goes on behind it. */
const BOOT_WAIT_MS = 1_000;

interface Watched {
  /** Is a local server configured? Without one there are no checks. */
  readonly isWanted: boolean;
  readonly adapter: () => ProviderAdapter;
  readonly catalog: CatalogService;
  readonly logger: Pick<AppLogger, 'debug'>;
  /** Told after each check whether the server listed its models. */
  readonly tell: (isUp: boolean) => void;
}

/** Asks the local model server at boot and every 30 s which models it has, and puts them into the catalog. */
export class LocalWatch {
  private readonly closing = new AbortController();
  private timer?: NodeJS.Timeout;
  private looking?: Promise<void>;

  constructor(private readonly watched: Watched) {}

  get isStarted(): boolean {
    return this.timer !== undefined;
  }

  /** Resolves after the first check, or when the boot has waited for it long enough. */
  async start(): Promise<void> {
    this.timer = setInterval(() => void this.refresh(), REFRESH_MS).unref();
    let wait: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      wait = setTimeout(resolve, BOOT_WAIT_MS);
    });
    await Promise.race([this.refresh(), limit]);
    clearTimeout(wait);
  }

  /** Asks now; never rejects. Calls that overlap share one check. */
  refresh(): Promise<void> {
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  /** Ends the check that runs and waits for it. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.closing.abort(new Error('The process is shutting down'));
    await this.looking;
  }

  private async look(): Promise<void> {
    if (!this.watched.isWanted) return;
    const isUp = await this.discover();
    if (!this.closing.signal.aborted) this.watched.tell(isUp);
  }

  private async discover(): Promise<boolean> {
    const { adapter, catalog, logger } = this.watched;
    try {
      const models = await discoverModels(adapter(), catalog, this.closing.signal);
      await catalog.setDiscovered('local', models);
      return true;
    } catch (error) {
      logger.debug(`The local model server did not answer: ${String(error)}`, LocalWatch.name);
      return false;
    }
  }
}

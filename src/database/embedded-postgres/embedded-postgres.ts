import { Attachments } from './attachments';
import { ClusterFolder } from './cluster-folder';
import { clusterPassword, ensureCluster } from './init-cluster';
import { launchPostmaster } from './launch';
import { adoptPostmaster, findPostmaster, type Postmaster, stopPostmaster } from './postmaster';
import { chooseRunner } from './runner';
import { withStartLock } from './start-lock';

export interface EmbeddedPostgresOptions {
  /** Holds the data, the password, the log and the lock of one server. Made when missing. */
  readonly folder: string;
  /** Trades safety against power loss for speed. For throw-away data only. */
  readonly fast?: boolean;
  /** Ends the server when our process ends in whatever way, killed included. Others can then not rely on it. */
  readonly dieWithParent?: boolean;
  /** Server parameters beside or instead of the default ones. */
  readonly settings?: Readonly<Record<string, string>>;
}

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '64MB',
  // Statements and their values can hold prompts and secrets.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};
const FAST_SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/**
 * A real PostgreSQL from npm's binaries: started if it does not run, attached to if it does, even if its starter was
 * killed. The last attached process stops it.
 */
export class EmbeddedPostgres {
  private stopping?: Promise<void>;

  private constructor(
    private readonly folder: ClusterFolder,
    private readonly options: EmbeddedPostgresOptions,
    private readonly found: { readonly postmaster: Postmaster; readonly isAdopted: boolean },
    private readonly detach: () => void,
  ) {}

  /** @throws ConfigurationError with one line that names the folder and the remedy. */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const folder = ClusterFolder.open(options.folder);
    return withStartLock(folder, async () => {
      const running = await adoptPostmaster(folder, urlsOf(folder));
      const postmaster = running ?? (await launch(folder, options));
      const detach = new Attachments(folder.attachments).add();
      return new EmbeddedPostgres(folder, options, { postmaster, isAdopted: running !== undefined }, detach);
    });
  }

  get url(): string {
    return urlsOf(this.folder)(this.found.postmaster.port);
  }

  /** The server process as it was at the start. */
  get pid(): number {
    return this.found.postmaster.pid;
  }

  /** True when the server was running already. */
  get isAdopted(): boolean {
    return this.found.isAdopted;
  }

  get isRunning(): boolean {
    return findPostmaster(this.folder) !== undefined;
  }

  /**
   * Starts the server again after it died, with the same URL. Does nothing while it runs or after `stop`.
   * @throws ConfigurationError when it cannot be started.
   */
  async revive(): Promise<void> {
    await withStartLock(this.folder, async () => {
      if (this.stopping || (await adoptPostmaster(this.folder, urlsOf(this.folder)))) return;
      await launch(this.folder, this.options, this.found.postmaster.port);
    });
  }

  /** Detaches; stops the server when no other live process is attached. May be repeated. */
  stop(): Promise<void> {
    this.stopping ??= withStartLock(this.folder, async () => {
      this.detach();
      if (!new Attachments(this.folder.attachments).hasLive()) await stopPostmaster(this.folder);
    });
    return this.stopping;
  }
}

/** `sslmode` stands against a PGSSLMODE in our environment: this server speaks no TLS. */
function urlsOf(folder: ClusterFolder): (port: number) => string {
  const login = () => `postgres:${clusterPassword(folder)}`;
  return (port) => `postgresql://${login()}@127.0.0.1:${port}/postgres?sslmode=disable`;
}

async function launch(
  folder: ClusterFolder,
  options: EmbeddedPostgresOptions,
  port?: number,
): Promise<Postmaster> {
  const { fast = false, dieWithParent = false } = options;
  const runner = chooseRunner(folder);
  ensureCluster(folder, runner, !fast);
  const settings = { ...SETTINGS, ...(fast ? FAST_SETTINGS : {}), ...options.settings };
  return launchPostmaster({ folder, runner, url: urlsOf(folder), settings, dieWithParent, port });
}

import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { unusableFolder } from './unusable-folder';

/** The places of one embedded server, all below `<DATA_DIR>/postgres`. */
export class ClusterFolder {
  readonly data: string;
  readonly passwordFile: string;
  readonly portFile: string;
  readonly logFile: string;
  readonly lockFile: string;
  readonly attachments: string;
  readonly pidFile: string;

  private constructor(readonly root: string) {
    this.data = path.join(root, 'data');
    this.passwordFile = path.join(root, 'superuser.password');
    this.portFile = path.join(root, 'port');
    this.logFile = path.join(root, 'postgres.log');
    this.lockFile = path.join(root, 'start.lock');
    this.attachments = path.join(root, 'attachments');
    this.pidFile = path.join(this.data, 'postmaster.pid');
  }

  /** @throws ConfigurationError when the folder cannot be made. */
  static open(folder: string): ClusterFolder {
    try {
      if (!existsSync(folder)) {
        mkdirSync(folder, { recursive: true });
        chmodSync(folder, 0o700);
      }
      return new ClusterFolder(realpathSync(folder));
    } catch (error) {
      throw unusableFolder(folder, `it cannot be made (${(error as NodeJS.ErrnoException).code})`, error);
    }
  }

  get hasCluster(): boolean {
    return existsSync(path.join(this.data, 'PG_VERSION'));
  }

  /** The major version that made the data, such as `18`. */
  get dataVersion(): string {
    return readFileSync(path.join(this.data, 'PG_VERSION'), 'utf8').trim();
  }

  /** Who owns the data, or the folder as long as there is no data. */
  get ownerUid(): number {
    return statSync(this.hasCluster ? this.data : this.root).uid;
  }

  get parentOwnerUid(): number {
    return statSync(path.dirname(this.root)).uid;
  }
}

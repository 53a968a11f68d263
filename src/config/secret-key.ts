import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { commaList } from '../common/index';
import { SecurityConfigurationError } from '../errors/index';
import type { EnvDto } from './env.dto';

const SECRET_KEY_MIN_LENGTH = 32;

/** Hidden from logs: prints as `[secret]` wherever it is written out. */
export class SecretKey {
  readonly #value: string;

  constructor(
    value: string,
    /** True when Lattice made the key itself; fine in dev, refused in production. */
    readonly isGenerated: boolean,
  ) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }
}

/** The configured key; outside production, a generated one that is kept in the data directory. */
export function resolveSecretKey(vars: EnvDto, dataDir: string): SecretKey {
  const configured = vars.LATTICE_SECRET_KEY;
  if (configured !== undefined) {
    if (configured.length < SECRET_KEY_MIN_LENGTH) throw tooShort();
    return new SecretKey(configured, false);
  }
  if (vars.LATTICE_ENV === 'production') throw missing();
  return new SecretKey(keptKey(path.join(dataDir, 'secret.key')), true);
}

/** @throws SecurityConfigurationError when one is too short. */
export function previousSecretKeys(vars: EnvDto): readonly SecretKey[] {
  const values = commaList(vars.LATTICE_PREVIOUS_SECRET_KEYS);
  if (values.some((value) => value.length < SECRET_KEY_MIN_LENGTH)) {
    throw tooShort('A key in LATTICE_PREVIOUS_SECRET_KEYS');
  }
  return values.map((value) => new SecretKey(value, false));
}

function keptKey(file: string): string {
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    writeFileSync(file, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}

function missing(): SecurityConfigurationError {
  return new SecurityConfigurationError(
    `LATTICE_SECRET_KEY is required in production: set it to at least ${SECRET_KEY_MIN_LENGTH} random characters (openssl rand -base64 48)`,
  );
}

function tooShort(subject = 'LATTICE_SECRET_KEY'): SecurityConfigurationError {
  return new SecurityConfigurationError(
    `${subject} is too short: at least ${SECRET_KEY_MIN_LENGTH} characters are needed (openssl rand -base64 48)`,
  );
}

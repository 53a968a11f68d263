import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigurationError } from '../errors/index';

export interface ConfigFile {
  /** Where it was found, for messages. */
  readonly file: string;
  readonly bytes: Buffer;
  /** `shortHash` of its bytes. */
  readonly version: string;
}

/**
 * Reads a file from the first of the folders that has it.
 * @throws ConfigurationError when none has it, or when it cannot be read.
 */
export function findConfigFile(dirs: readonly string[], relativePath: string): ConfigFile {
  for (const dir of dirs) {
    const file = path.join(dir, relativePath);
    const bytes = readIfPresent(file);
    if (bytes) return { file, bytes, version: shortHash(bytes) };
  }
  throw new ConfigurationError(`${relativePath} is missing: looked in ${dirs.join(', ')}`);
}

/** The first 12 hexadecimal digits of the SHA-256. */
export function shortHash(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 12);
}

function readIfPresent(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigurationError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

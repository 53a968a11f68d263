import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, YAMLError } from 'yaml';
import type { ZodType } from 'zod';
import { ConfigurationError } from '../errors/index';

export interface YamlFile<T> {
  /** Where it was found, for messages. */
  readonly file: string;
  readonly value: T;
  /** The first 12 hexadecimal digits of the SHA-256 of its text. */
  readonly version: string;
}

/**
 * Reads a YAML file from the first of the folders that has it, and validates it.
 * @throws ConfigurationError naming the file, the place in it and the reason.
 */
export function readYamlFile<T>(
  dirs: readonly string[],
  relativePath: string,
  schema: ZodType<T>,
): YamlFile<T> {
  for (const dir of dirs) {
    const file = path.join(dir, relativePath);
    const text = readIfPresent(file);
    if (text !== undefined) return { file, value: parseYaml(file, text, schema), version: shortHash(text) };
  }
  throw new ConfigurationError(`${relativePath} is missing: looked in ${dirs.join(', ')}`);
}

/** Validates YAML text; `file` is only named in messages. */
export function parseYaml<T>(file: string, text: string, schema: ZodType<T>): T {
  const result = schema.safeParse(parseText(file, text));
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, 5)
    .map((issue) => `${formatPlace(issue.path)}: ${issue.message}`);
  throw new ConfigurationError(`${file}: ${problems.join('; ')}`);
}

export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** `patterns[3].regex`, or `(top level)`. */
function formatPlace(keys: readonly PropertyKey[]): string {
  const place = keys
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
  return place || '(top level)';
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigurationError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function parseText(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof YAMLError)) throw error;
    throw new ConfigurationError(`${file}: ${error.message}`, { cause: error });
  }
}

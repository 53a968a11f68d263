import { parse, YAMLError } from 'yaml';
import type { ZodType } from 'zod';
import { ConfigurationError } from '../errors/index';
import { findConfigFile } from './config-file';

export interface YamlFile<T> {
  /** Where it was found, for messages. */
  readonly file: string;
  readonly value: T;
  /** `shortHash` of its text. */
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
  const { file, bytes, version } = findConfigFile(dirs, relativePath);
  return { file, value: parseYaml(file, bytes.toString('utf8'), schema), version };
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

/** `patterns[3].regex`, or `(top level)`. */
function formatPlace(keys: readonly PropertyKey[]): string {
  const place = keys
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
  return place || '(top level)';
}

function parseText(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof YAMLError)) throw error;
    throw new ConfigurationError(`${file}: ${error.message}`, { cause: error });
  }
}

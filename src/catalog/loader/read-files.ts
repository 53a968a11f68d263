import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { ConfigurationError } from '../../errors/index';
import { type CatalogFile, catalogFileSchema } from './catalog-file.schema';

export interface ReadFile {
  readonly file: string;
  readonly content: CatalogFile;
}

/** The catalog files of one configuration folder in the order of their names; none when it has no `catalog` folder. */
export function readCatalogFolder(configDir: string): ReadFile[] {
  const folder = path.join(configDir, 'catalog');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  return names.toSorted().map((name) => readCatalogFile(path.join(folder, name)));
}

/** @throws ConfigurationError naming the file, the place in it and the reason. */
export function readCatalogFile(file: string): ReadFile {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
  });
  const [problem] = document.errors;
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new ConfigurationError(`${file}, line ${line}, column ${col}: ${problem.message}`);
  }
  const parsed = catalogFileSchema.safeParse(document.toJS() ?? {});
  if (!parsed.success) throw misfit(file, '', parsed.error);
  return { file, content: parsed.data };
}

/** One line per problem: `file: models[3].contextWindowTokens: reason`. */
export function misfit(file: string, prefix: string, error: z.ZodError): ConfigurationError {
  const lines = flatten(error.issues, []).map(({ at, reason }) => {
    const place = `${prefix}${at}`.replace(/^\./, '');
    return `${file}: ${place || 'the file'}: ${reason}`;
  });
  return new ConfigurationError(lines.slice(0, 10).join('\n'));
}

function flatten(issues: readonly z.core.$ZodIssue[], base: PropertyKey[]): { at: string; reason: string }[] {
  return issues.flatMap((issue) => {
    const at = [...base, ...issue.path];
    // Of a union, the branch that fits best is the one with the fewest complaints.
    const branches = issue.code === 'invalid_union' ? issue.errors : [];
    const [best] = branches.toSorted((a, b) => deepest(b) - deepest(a) || a.length - b.length);
    if (best) return flatten(best, at);
    return [{ at: place(at), reason: issue.code === 'invalid_type' ? typeReason(issue) : issue.message }];
  });
}

function deepest(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}

function typeReason(issue: z.core.$ZodIssueInvalidType): string {
  return issue.message.endsWith('received undefined') ? 'is missing' : issue.message;
}

function place(at: readonly PropertyKey[]): string {
  return at.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
}

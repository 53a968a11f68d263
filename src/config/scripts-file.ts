/** scripts.yaml: the commands that may carry out calls of a provider in place of this process. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { PROVIDER_IDS, type ProviderId } from '../common/index';
import { ConfigurationError } from '../errors/index';
import { readYamlFile } from './yaml-file';

export const SCRIPTS_FILE = 'scripts.yaml';

/** How the calls of one provider are carried out by a command. Frozen. */
export interface ScriptSettings {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  readonly kinds: readonly ('chat' | 'embedding')[];
  /** From start to end of one call. */
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  readonly maxErrorBytes: number;
  /** Names of the variables that it gets, besides PATH, HOME, LANG and TMPDIR. */
  readonly env: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly maxConcurrent: number;
}

export type Scripts = Readonly<Partial<Record<ProviderId, ScriptSettings>>>;

/** What opens the installation itself is not for its scripts. */
const OWN_SECRETS = new Set([
  'DATABASE_URL',
  'LATTICE_ADMIN_PASSWORD',
  'LATTICE_PREVIOUS_SECRET_KEYS',
  'LATTICE_SECRET_KEY',
  'METRICS_TOKEN',
]);

/** Name of a variable that may be handed on. */
export const secretFreeVariable = z
  .string()
  .regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable')
  .refine((name) => !OWN_SECRETS.has(name), 'is a secret of Lattice itself and never handed on');
/** What a program can be given. */
export const programText = z
  .string()
  .max(4096)
  .refine((value) => !value.includes('\0'), 'must not hold a NUL');

const script = z.strictObject({
  command: z.array(programText).min(1, 'must name a program').max(64),
  kinds: z
    .array(z.enum(['chat', 'embedding']))
    .min(1)
    .default(['chat']),
  timeoutMs: z.int().min(100).max(3_600_000).default(120_000),
  maxOutputBytes: z.int().min(1024).max(268_435_456).default(16_777_216),
  maxErrorBytes: z.int().min(0).max(1_048_576).default(4096),
  env: z.array(secretFreeVariable).max(100).default([]),
  cwd: programText.min(1).optional(),
  maxConcurrent: z.int().min(1).max(1000).default(4),
});

const SCRIPTABLE = PROVIDER_IDS.filter((provider) => provider !== 'sandbox');
const scripts = z.preprocess(
  (value) => value ?? {},
  z.strictObject(Object.fromEntries(SCRIPTABLE.map((provider) => [provider, script.optional()]))),
) as z.ZodType<Partial<Record<ProviderId, z.output<typeof script>>>>;

/**
 * Reads scripts.yaml from the first of the folders that has it. A `cwd` is meant from the file's own folder, which is
 * also where a script without one runs.
 * @throws ConfigurationError naming the file, the place in it and the reason.
 */
export function readScripts(dirs: readonly string[]): Scripts {
  const { file, value } = readYamlFile(dirs, SCRIPTS_FILE, scripts);
  const read = Object.entries(value).map(([provider, { cwd = '.', ...rest }]) => {
    const folder = path.resolve(path.dirname(file), cwd);
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw new ConfigurationError(`${file}: ${provider}.cwd: ${folder} is not a folder`);
    }
    if (rest.command[0]?.trim() === '') {
      throw new ConfigurationError(`${file}: ${provider}.command[0]: must name a program`);
    }
    return [provider, Object.freeze({ ...rest, cwd: folder })];
  });
  return Object.freeze(Object.fromEntries(read)) as Scripts;
}

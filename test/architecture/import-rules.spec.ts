import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/config/index';

const root = packageRoot();
const depcruise = path.join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs');

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

/** The broken rules below `folder`, as `rule: from -> to`. */
function violations(folder: string): string[] {
  const args = [depcruise, 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const run = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (!run.stdout.startsWith('{')) throw new Error(`dependency-cruiser failed: ${run.stderr}${run.stdout}`);
  const report = JSON.parse(run.stdout) as { summary: { violations: Violation[] } };
  return report.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`).toSorted();
}

/** A tree with the project's rules and the given sources. */
function plant(sources: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'import-rules-'));
  for (const file of ['.dependency-cruiser.cjs', 'module-boundaries.cjs', 'tsconfig.json']) {
    cpSync(path.join(root, file), path.join(folder, file));
  }
  for (const [file, text] of Object.entries(sources)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  return folder;
}

/** The design's import table; a change of the rules must be made here too. */
const base = 'common errors config observability';
const importTable: Record<string, string> = {
  common: '',
  errors: 'common',
  config: 'common errors',
  observability: 'common errors config',
  database: base,
  durable: `${base} database`,
  auth: `${base} database`,
  events: `${base} database auth`,
  idempotency: `${base} database auth`,
  catalog: `${base} database auth`,
  ledger: `${base} database auth catalog`,
  budget: `${base} database auth events ledger`,
  providers: `${base} database auth catalog`,
  tools: `${base} database auth`,
  analysis: `${base} catalog`,
  scoring: `${base} database auth catalog ledger providers analysis`,
  selection: `${base} database auth catalog providers analysis scoring`,
  execution: `${base} database auth catalog ledger providers tools analysis selection`,
  prompts: `${base} database auth`,
  gateway: `${base} database auth idempotency budget catalog ledger analysis scoring selection execution prompts`,
  agents: `${base} database auth catalog providers tools prompts`,
  knowledge: `${base} database auth execution tools`,
  projects: `${base} database durable auth events idempotency budget ledger prompts selection agents execution tools`,
  sessions: `${base} database durable auth events idempotency budget agents execution prompts`,
  operations: `${base} database durable auth catalog providers tools`,
};

describe('module-boundaries.cjs', () => {
  const { mayImport } = jest.requireActual<{ mayImport: Record<string, string[]> }>(
    '../../module-boundaries.cjs',
  );

  it('holds the import table of the design', () => {
    const expected = Object.entries(importTable).map(([name, allowed]) => [
      name,
      allowed === '' ? [] : allowed.split(' '),
    ]);

    expect(mayImport).toEqual(Object.fromEntries(expected));
  });

  it('lists every folder of src', () => {
    const folders = readdirSync(path.join(root, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);

    expect(folders.filter((folder) => !(folder in mayImport))).toEqual([]);
  });
});

describe('import rules', () => {
  it('are kept by the sources', () => {
    expect(violations(root)).toEqual([]);
  });

  it('report every kind of violation', () => {
    const folder = plant({
      'src/common/index.ts': "export { a } from './a';\n",
      'src/common/a.ts': "import { b } from './b';\nexport const a = (): unknown => b;\n",
      'src/common/b.ts': "import { a } from './a';\nexport const b = (): unknown => a;\n",
      'src/ledger/index.ts': 'export const ledger = 1;\n',
      'src/ledger/inner.ts': 'export const inner = 1;\n',
      'src/errors/upwards.ts': "import { ledger } from '../ledger/index';\nexport const upwards = ledger;\n",
      'src/budget/index.ts': "import { inner } from '../ledger/inner';\nexport const budget = inner;\n",
      'src/stray/index.ts': "import { a } from '../common/index';\nexport const stray = a;\n",
      'src/providers/provider.port.ts': "export type { Own } from './adapters/own/own';\n",
      'src/providers/adapters/own/own.ts': 'export type Own = string;\n',
      'src/tools/index.ts': "export { support } from '../../test/support';\n",
      'src/prompts/index.ts': "export { mock } from 'only-for-tests';\n",
      'package.json': JSON.stringify({ devDependencies: { 'only-for-tests': '1.0.0' } }),
      'node_modules/only-for-tests/package.json': JSON.stringify({
        name: 'only-for-tests',
        main: 'index.js',
      }),
      'node_modules/only-for-tests/index.js': 'exports.mock = 1;\n',
      'test/support.ts': 'export const support = 1;\n',
    });

    try {
      expect(violations(folder)).toEqual([
        'known-modules-only: src/stray/index.ts -> src/common/index.ts',
        'module-door: src/budget/index.ts -> src/ledger/inner.ts',
        'module-errors: src/errors/upwards.ts -> src/ledger/index.ts',
        'no-adapter-from-port: src/providers/provider.port.ts -> src/providers/adapters/own/own.ts',
        'no-circular: src/common/a.ts -> src/common/b.ts',
        'no-dev-dependencies-in-src: src/prompts/index.ts -> node_modules/only-for-tests/index.js',
        'no-tests-from-src: src/tools/index.ts -> test/support.ts',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

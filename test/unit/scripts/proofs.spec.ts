import { existsSync } from 'node:fs';
import path from 'node:path';
import { check } from 'prettier';
import { packageRoot } from '../../../src/config/index';

interface Proof {
  readonly number: number;
  readonly file: string;
}
interface Result {
  readonly number: number;
  readonly figures: Record<string, string | number | readonly string[]>;
}
interface Machine {
  readonly date: string;
  readonly node: string;
  readonly postgres: string;
  readonly cores: number;
}
interface Proofs {
  readonly proofs: readonly Proof[];
  wantedProofs(numbers: readonly string[]): readonly Proof[];
  figuresOf(notes: string): Map<number, object>;
  withResults(document: string, results: readonly Result[], machine: Machine): string;
}

const MACHINE: Machine = { date: '2026-11-21', node: '24.21.0', postgres: '18.4', cores: 2 };

describe('the report of the proofs', () => {
  let lib: Proofs;

  beforeAll(async () => {
    lib = (await import(path.join(packageRoot(), 'scripts', 'lib', 'proofs.mjs'))) as Proofs;
  });

  const numbersIn = (document: string): string[] =>
    [...document.matchAll(/^## (\d+)/gm)].map(([, number]) => String(number));

  it('knows a file for each of the proofs about money', () => {
    const files = lib.proofs.slice(0, 5).map(({ file }) => `test/proof/${file}.proof-spec.ts`);
    expect(files.filter((file) => !existsSync(path.join(packageRoot(), file)))).toEqual([]);
  });

  it('runs all of them, or those that are named', () => {
    expect(lib.wantedProofs([])).toBe(lib.proofs);
    expect(lib.wantedProofs(['3', '1']).map(({ number }) => number)).toEqual([1, 3]);
  });

  it('refuses a number that is no proof, and lists those there are', () => {
    expect(() => lib.wantedProofs(['3', '99'])).toThrow(/There is no proof 99.*\n.*1 {2}A hard budget/);
  });

  it('adds up the notes of one proof', () => {
    const notes = '{"proof":1,"figures":{"calls":1}}\n{"proof":1,"figures":{"held":0}}\n';
    expect(lib.figuresOf(notes)).toEqual(new Map([[1, { calls: 1, held: 0 }]]));
  });

  it('writes a section for each result, in order, in the format of the house', async () => {
    const results: readonly Result[] = [
      { number: 3, figures: { streams: 10_000, 'longest wait': '2.2 s' } },
      { number: 9, figures: { 'cut before [DONE]': ['3 pieces, then an error', 'timed_out: $0 (2×)'] } },
      { number: 1, figures: { calls: 1000 } },
    ];
    const document = lib.withResults('', results, MACHINE);
    expect(numbersIn(document)).toEqual(['1', '3', '9']);
    expect(document).toMatch(
      /\| cut before \[DONE\] +\| 3 pieces, then an error \| timed_out: \$0 \(2×\) \|/,
    );
    expect(document).toMatch(/\| streams +\| +10,000 \|/);
    expect(document).toContain(
      'npm run proof -- 3`. Last run: 2026-11-21, Node 24.21.0, PostgreSQL 18.4, 2 cores.',
    );
    expect(await check(document, { parser: 'markdown', printWidth: 110 })).toBe(true);
  });

  it('keeps the sections of proofs that were not run', () => {
    const first = lib.withResults('', [{ number: 1, figures: { calls: 1000 } }], MACHINE);
    const second = lib.withResults(first, [{ number: 2, figures: { usages: 5 } }], { ...MACHINE, cores: 8 });
    expect(numbersIn(second)).toEqual(['1', '2']);
    expect(second.startsWith(first)).toBe(true);
    expect(lib.withResults(second, [], MACHINE)).toBe(second);
  });
});

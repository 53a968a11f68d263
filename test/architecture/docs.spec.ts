import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { plainToInstance } from 'class-transformer';
import { EnvDto } from '../../src/config/index';

const README = readFileSync('README.md', 'utf8');

describe('README', () => {
  const rows = README.split('\n').filter((line) => line.startsWith('| `'));
  const example = readFileSync('.env.example', 'utf8');
  const names = [...example.matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1] ?? '');

  it('lists every variable in its table of settings', () => {
    expect(names.filter((name) => !rows.some((row) => row.includes(`\`${name}\``)))).toEqual([]);
  });

  it('names the default that the service uses', () => {
    const defaults = plainToInstance(EnvDto, {}, { exposeDefaultValues: true }) as unknown as Record<
      string,
      unknown
    >;
    for (const [name, value] of Object.entries(defaults)) {
      if (typeof value !== 'string' && typeof value !== 'number') continue;
      const row = rows.find((line) => line.startsWith(`| \`${name}\` `));
      expect([name, row]).toEqual([name, expect.stringContaining(`\`${String(value)}\``)]);
    }
  });

  it('links to files that exist', () => {
    const links = [...README.matchAll(/\]\(((?!http)[^)#]+)\)/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(4);
    for (const link of links) expect(() => readdirSync(path.dirname(link))).not.toThrow();
  });
});

describe('docs/errors.md', () => {
  it('lists every code that a caller can see', () => {
    const text = readFileSync('docs/errors.md', 'utf8');
    const internal = new Set([
      'BILLING_INTEGRITY',
      'SECURITY_CONFIGURATION',
      'CONFIGURATION',
      'BACKGROUND_TASK',
      'CANCELLED',
    ]);
    const codes = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('errors.ts'))
      .flatMap((file) => [
        ...readFileSync(path.join('src', file), 'utf8').matchAll(
          /code(?:: string)? (?:=|:) '(\w+)'|code: '(\w+)'/g,
        ),
      ])
      .map((match) => match[1] ?? match[2] ?? '');
    expect(codes.length).toBeGreaterThan(20);
    expect(
      [...new Set(codes)].filter((code) => !internal.has(code) && !text.includes(`\`${code}\``)),
    ).toEqual([]);
  });
});

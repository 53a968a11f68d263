import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { getMetadataStorage } from 'class-validator';
import { EnvDto, loadConfig, packageRoot } from '../../src/config/index';

const text = readFileSync(path.join(packageRoot(), '.env.example'), 'utf8');
const example = parseEnv(text);

function declaredVariables(): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(EnvDto, '', false, false);
  return [...new Set(rules.map((rule) => rule.propertyName))].toSorted();
}

function defaults(): Record<string, string> {
  const dto = new EnvDto() as unknown as Record<string, string | number | undefined>;
  return Object.fromEntries(declaredVariables().map((name) => [name, String(dto[name] ?? '')]));
}

describe('.env.example', () => {
  it('lists every variable of EnvDto with its default, and no other', () => {
    expect(example).toEqual(defaults());
  });

  it('names each variable once, under a comment line of its own', () => {
    const lines = text.split('\n');
    const assignments = lines.flatMap((line, index) => (/^[A-Z]\w*=/.test(line) ? [index] : []));

    expect(assignments).toHaveLength(declaredVariables().length);
    expect(assignments.filter((index) => !lines[index - 1]?.startsWith('# '))).toEqual([]);
  });

  it('is a usable environment that changes nothing', () => {
    const scratch = { LATTICE_SECRET_KEY: 'a'.repeat(32) };

    expect(loadConfig({ ...example, ...scratch })).toEqual(loadConfig(scratch));
  });
});

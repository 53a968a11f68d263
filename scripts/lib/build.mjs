// Builds dist when it was not built from exactly these sources.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runChild } from './child.mjs';
import { say, SetupError } from './project.mjs';

const inputs = [
  'src',
  'ormconfig.ts',
  'package.json',
  'package-lock.json',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

function filesOf(root, entry) {
  const full = path.join(root, entry);
  if (!existsSync(full)) return [];
  if (path.extname(entry) !== '') return [entry];
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => path.relative(root, path.join(item.parentPath ?? item.path, item.name)));
}

const byName = (left, right) => (left < right ? -1 : 1);

/** A hash over names and contents of everything a build is made from. */
export function fingerprint(root) {
  const hash = createHash('sha256');
  const files = inputs.flatMap((entry) => filesOf(root, entry)).sort(byName);
  for (const file of files) {
    const content = readFileSync(path.join(root, file));
    hash.update(`${file.replaceAll('\\', '/')}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

const markOf = (root) => path.join(root, 'dist', '.fingerprint');

export function isBuilt(root) {
  return existsSync(markOf(root)) && readFileSync(markOf(root), 'utf8') === fingerprint(root);
}

/** Builds dist and marks it with the fingerprint that was taken before, so that an edit meanwhile is built next time. */
export async function build(root, runtime, onSpawn) {
  const mark = fingerprint(root);
  say('building…');
  const nest = path.join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  const result = await runChild(runtime, [nest, 'build'], { cwd: root, capture: true, onSpawn });
  if (result.wasInterrupted) return result;
  if (result.code !== 0) {
    process.stderr.write(result.output);
    throw new SetupError(`The build failed with exit code ${result.code}.`);
  }
  writeFileSync(markOf(root), mark);
  return result;
}

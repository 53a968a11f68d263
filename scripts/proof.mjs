// npm run proof [-- <number>…]: runs the proofs at full size and writes their figures to docs/proofs.md.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { leaveLike, runChild } from './lib/child.mjs';
import { JEST } from './lib/jest.mjs';
import { main, prepare } from './lib/prepare.mjs';
import { projectRoot, say, SetupError } from './lib/project.mjs';
import { figuresOf, wantedProofs, withResults } from './lib/proofs.mjs';
import { nodeVersion, postgresVersion } from './lib/versions.mjs';

const documentFile = path.join(projectRoot, 'docs', 'proofs.md');

function wanted() {
  try {
    return wantedProofs(process.argv.slice(2));
  } catch (error) {
    throw new SetupError(error.message);
  }
}

const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** Runs jest on the proofs, one file at a time, and tells which of them held. */
async function run(runtime, proofs, folder) {
  const notes = path.join(folder, 'notes');
  const outcome = path.join(folder, 'outcome.json');
  const args = [
    ...JEST,
    '--selectProjects',
    'proof',
    '--runInBand',
    '--json',
    `--outputFile=${outcome}`,
    '--',
    ...proofs.map(({ file }) => `/test/proof/${file}[^.]*\\.proof-spec`),
  ];
  const env = { ...process.env, PROOF_SIZE: 'full', PROOF_REPORT: notes, PROOF_SERVICE: 'built' };
  const result = await runChild(runtime, args, { cwd: projectRoot, env });
  const { testResults } = JSON.parse(read(outcome) || '{"testResults":[]}');
  const held = proofs.filter(({ file }) => {
    const own = testResults.filter(({ name }) => name.replaceAll('\\', '/').includes(`/test/proof/${file}`));
    return own.length > 0 && own.every(({ status }) => status === 'passed');
  });
  return { result, held, figures: figuresOf(read(notes)) };
}

await main(async () => {
  const proofs = wanted();
  const runtime = await prepare({ needsBuild: true });
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lattice-proofs-'));
  try {
    const { result, held, figures } = await run(runtime, proofs, folder);
    const results = held.flatMap(({ number }) =>
      figures.has(number) ? [{ number, figures: figures.get(number) }] : [],
    );
    const machine = {
      date: new Date().toISOString().slice(0, 10),
      node: nodeVersion(runtime),
      postgres: await postgresVersion(projectRoot),
      cores: os.availableParallelism(),
    };
    writeFileSync(documentFile, withResults(read(documentFile), results, machine));
    say(`${results.length} of ${proofs.length} proofs written to docs/proofs.md`);
    leaveLike(result);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

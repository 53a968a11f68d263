/**
 * npm run bench:script [-- --json] [--tasks 40]
 * The same task through the whole service, by direct execution and by a command of scripts.yaml, in turns against one
 * local upstream that answers at once: what is measured is the way of execution, one task at a time.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { start, stopAll } from './processes.mjs';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, tasks: { type: 'string', default: '40' } },
});
const WARM_UP = 3;
const TARGET = 0.3;
const TICK_MS = 10;
const here = (file) => path.join(import.meta.dirname, file);
const require = createRequire(import.meta.url);
const say = (line) => process.stderr.write(`${line}\n`);
const quantile = (values, part) =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length * part)];

const dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-bench-'));
const { EmbeddedPostgres } = require('../dist/src/database/index.js');
const postgres = await EmbeddedPostgres.start({
  folder: path.join(dataDir, 'postgres'),
  dieWithParent: true,
});

async function call(url, route, body, headers = {}) {
  const response = await fetch(`${url}${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer().then((bytes) => (response.parsed = JSON.parse(Buffer.from(bytes))));
  return response;
}

async function startGateway(upstream) {
  const command = JSON.stringify([process.execPath, here('script-task.mjs')]);
  writeFileSync(
    path.join(dataDir, 'scripts.yaml'),
    `openai: { command: ${command}, env: [BENCH_UPSTREAM] }\n`,
  );
  const env = {
    PATH: process.env.PATH,
    LATTICE_ENV: 'test',
    LATTICE_SECRET_KEY: 'bench-'.repeat(8),
    LATTICE_CONFIG_DIR: dataDir,
    LOG_LEVEL: 'warn',
    DATABASE_URL: postgres.url,
    DATA_DIR: dataDir,
    PORT: '0',
    OPENAI_API_KEY: 'bench',
    OPENAI_BASE_URL: upstream,
    BENCH_UPSTREAM: upstream,
  };
  const gateway = await start(here('../dist/src/main.js'), [], { env, ready: /Lattice is ready at (\S+)/ });
  const account = { email: 'bench@example.com', password: 'bench-bench-bench', name: 'Bench' };
  const { parsed } = await call(gateway.match, '/api/v1/auth/register', account);
  const authorization = `Bearer ${parsed.accessToken}`;
  const made = await call(gateway.match, '/api/v1/keys', { name: 'bench' }, { authorization });
  return { pid: gateway.pid, url: gateway.match, key: made.parsed.key };
}

/** User and system time of a process and of its children that have ended. */
function cpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
}

async function task(gateway, mode) {
  const body = {
    model: 'openai/gpt-4o-mini',
    messages: [{ role: 'user', content: 'Summarise this. '.repeat(60) }],
  };
  const headers = {
    authorization: `Bearer ${gateway.key}`,
    'x-lattice-use-direct': String(mode === 'direct'),
  };
  const [startedAt, cpu] = [performance.now(), cpuMs(gateway.pid)];
  const response = await call(gateway.url, '/v1/chat/completions', body, headers);
  const wallMs = performance.now() - startedAt;
  const was = response.headers.get('x-lattice-execution-mode');
  if (was !== mode) throw new Error(`A task that should be ${mode} was ${was}`);
  return { wallMs, cpuMs: cpuMs(gateway.pid) - cpu };
}

async function measure() {
  const { match: port } = await start(here('upstream.mjs'));
  const gateway = await startGateway(`http://127.0.0.1:${port}/v1`);
  const rows = { direct: [], script: [] };
  for (let round = -WARM_UP; round < Number(options.tasks); round++) {
    for (const mode of ['direct', 'script']) {
      const row = await task(gateway, mode);
      if (round >= 0) rows[mode].push(row);
    }
  }
  const figures = (mode) => {
    const wall = rows[mode].map((row) => row.wallMs);
    const cpu = rows[mode].reduce((sum, row) => sum + row.cpuMs, 0) / rows[mode].length;
    return { p10Ms: quantile(wall, 0.1), p50Ms: quantile(wall, 0.5), p90Ms: quantile(wall, 0.9), cpuMs: cpu };
  };
  return { direct: figures('direct'), script: figures('script') };
}

try {
  const figures = await measure();
  for (const [mode, { p10Ms, p50Ms, p90Ms, cpuMs: cpu }] of Object.entries(figures)) {
    const wall = `${p50Ms.toFixed(1)} ms per task (p10 ${p10Ms.toFixed(1)}, p90 ${p90Ms.toFixed(1)})`;
    say(`${mode.padEnd(8)} ${wall}, ${cpu.toFixed(1)} ms CPU`);
  }
  const saved = 1 - figures.direct.p50Ms / figures.script.p50Ms;
  say(
    `direct execution takes ${(saved * 100).toFixed(0)} % less than a script (at least ${TARGET * 100} % expected)`,
  );
  if (saved < TARGET) process.exitCode = 1;
  if (options.json) process.stdout.write(`${JSON.stringify({ ...figures, saved })}\n`);
} finally {
  await stopAll();
  await postgres.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

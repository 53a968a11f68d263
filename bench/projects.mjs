/**
 * npm run bench:projects [-- --json] [--tasks 200] [--projects 1000] [--idle 20]
 * What projects cost besides their models, which answer at once here: creating and listing them, a task, a step of a task,
 * and a process that has nothing to do. CPU figures are the ones to quote: machines are shared and noisy.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuSeconds, start, stopAll } from './processes.mjs';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    tasks: { type: 'string', default: '200' },
    projects: { type: 'string', default: '1000' },
    idle: { type: 'string', default: '20' },
  },
});
const TASKS = Number(options.tasks);
const PROJECTS = Number(options.projects);
const MORE_ROUNDS = 5;
const LISTINGS = 20;
const PAGE = 200;
const POLL_MS = 50;
const here = (file) => path.join(import.meta.dirname, file);
const require = createRequire(import.meta.url);
const say = (line) => process.stderr.write(`${line}\n`);

const dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-bench-'));
const { EmbeddedPostgres } = require('../dist/src/database/index.js');
const pg = require('pg');
const postgres = await EmbeddedPostgres.start({
  folder: path.join(dataDir, 'postgres'),
  dieWithParent: true,
  settings: { shared_preload_libraries: 'pg_stat_statements' },
});
const database = new pg.Client({ connectionString: postgres.url });
await database.connect();

async function startService() {
  const { match: upstream } = await start(here('tasks-upstream.mjs'));
  const env = {
    PATH: process.env.PATH,
    LATTICE_ENV: 'test',
    LATTICE_SECRET_KEY: 'bench-'.repeat(8),
    DATABASE_URL: postgres.url,
    DATA_DIR: dataDir,
    PORT: '0',
    RATE_LIMIT_USER_PER_HOUR: '1000000000',
    RATE_LIMIT_GLOBAL_PER_HOUR: '1000000000',
    PLANNINGS_PER_MINUTE: '10000',
    OPENAI_API_KEY: 'bench',
    OPENAI_BASE_URL: `http://127.0.0.1:${upstream}/v1`,
  };
  const service = await start(here('../dist/src/main.js'), [], { env, ready: /Lattice is ready at (\S+)/ });
  return { pid: service.pid, call: await clientOf(service.match) };
}

/** Calls the REST interface with a key; what fails ends the bench. */
async function clientOf(url) {
  let credential;
  const call = async (method, route, body) => {
    const response = await fetch(`${url}/api/v1${route}`, {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(credential && { authorization: `Bearer ${credential}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  const account = { email: 'bench@example.com', password: 'bench-bench-bench', name: 'Bench' };
  credential = (await call('POST', '/auth/register', account)).accessToken;
  credential = (await call('POST', '/keys', { name: 'bench' })).key;
  return call;
}

async function until(read, isThere) {
  for (;;) {
    const value = await read();
    if (isThere(value)) return value;
    await delay(POLL_MS);
  }
}

const percentile = (values, share) =>
  values.toSorted((left, right) => left - right)[Math.ceil(values.length * share) - 1];

async function timed(work) {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

async function createAndList({ call }) {
  const body = { name: 'Bench', requirements: 'Something useful.', budgetUsd: '5' };
  const created = [];
  for (let index = 0; index < PROJECTS; index++)
    created.push(await timed(() => call('POST', '/projects', body)));
  const listed = [];
  for (let index = 0; index < LISTINGS; index++) {
    listed.push(
      await timed(async () => {
        let cursor = '';
        do {
          const page = await call('GET', `/projects?limit=${PAGE}${cursor}`);
          cursor = page.nextCursor && `&cursor=${page.nextCursor}`;
        } while (cursor);
      }),
    );
  }
  return {
    createP50Ms: percentile(created, 0.5),
    createP95Ms: percentile(created, 0.95),
    listP50Ms: percentile(listed, 0.5),
    listP95Ms: percentile(listed, 0.95),
  };
}

/** An approved project with this many tasks that do not need each other. */
async function approvable({ call }, rounds) {
  const project = await call('POST', '/projects', { name: 'Bench', requirements: 'Many tasks.' });
  const plan = await call('POST', `/projects/${project.id}/plan`, { model: 'openai/gpt-4o-mini' });
  const ready = await until(
    () => call('GET', `/plans/${plan.id}`),
    ({ state }) => state !== 'planning',
  );
  if (ready.state !== 'ready') throw new Error(JSON.stringify(ready.error));
  const tasks = Array.from({ length: TASKS }, (_, index) => ({
    title: `Task ${index}`,
    description: `rounds: ${rounds}`,
    agent: 'bench',
    maxTokens: 100,
  }));
  await call('PATCH', `/plans/${plan.id}`, { tasks });
  return { project, plan };
}

/** CPU milliseconds of the process and of PostgreSQL from the approval of a project to its end. */
async function costOf(service, rounds) {
  const { project, plan } = await approvable(service, rounds);
  const before = [cpuSeconds(service.pid), cpuSeconds(postgres.pid)];
  const from = performance.now();
  await service.call('POST', `/plans/${plan.id}/approve`, { start: true });
  const ended = await until(
    () => service.call('GET', `/projects/${project.id}`),
    ({ status }) => status !== 'running',
  );
  if (ended.status !== 'completed') throw new Error(JSON.stringify(ended));
  const ms = (pid, earlier) => (cpuSeconds(pid) - earlier) * 1000;
  return {
    node: ms(service.pid, before[0]),
    database: ms(postgres.pid, before[1]),
    wall: performance.now() - from,
  };
}

async function taskCosts(service) {
  await service.call('POST', '/agents', {
    type: 'bench',
    description: 'Works',
    model: 'openai/gpt-4o-mini',
    tools: ['current_time'],
  });
  await costOf(service, 1);
  const [one, more] = [await costOf(service, 1), await costOf(service, MORE_ROUNDS)];
  const rounds = TASKS * (MORE_ROUNDS - 1);
  return {
    taskCpuMs: one.node / TASKS,
    taskDatabaseCpuMs: one.database / TASKS,
    taskWallMs: one.wall / TASKS,
    roundCpuMs: (more.node - one.node) / rounds,
    roundDatabaseCpuMs: (more.database - one.database) / rounds,
  };
}

/** With nothing to do: what one process asks PostgreSQL for, and what that costs. */
async function idleCosts({ pid }) {
  const seconds = Number(options.idle);
  const statements = async () =>
    Number((await database.query('select sum(calls) as calls from pg_stat_statements')).rows[0].calls);
  await database.query('create extension if not exists pg_stat_statements');
  await delay(3000);
  const before = [await statements(), cpuSeconds(pid), cpuSeconds(postgres.pid)];
  await delay(seconds * 1000);
  return {
    idleQueriesPerSecond: ((await statements()) - before[0] - 1) / seconds,
    idleCpuPercent: ((cpuSeconds(pid) - before[1]) / seconds) * 100,
    idleDatabaseCpuPercent: ((cpuSeconds(postgres.pid) - before[2]) / seconds) * 100,
  };
}

function report(figures) {
  const number = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(1)).padStart(8);
  say(
    `create a project   ${number(figures.createP95Ms)} ms p95   (p50 ${figures.createP50Ms.toFixed(1)} ms, with a budget of its own)`,
  );
  say(
    `list ${PROJECTS}          ${number(figures.listP95Ms)} ms p95   (p50 ${figures.listP50Ms.toFixed(0)} ms, ${PAGE} a page, one page after the other)`,
  );
  say(
    `task of one call   ${number(figures.taskCpuMs)} ms CPU, PostgreSQL ${figures.taskDatabaseCpuMs.toFixed(1)} ms   (${figures.taskWallMs.toFixed(1)} ms of time each, ${TASKS} at once)`,
  );
  say(
    `one round more     ${number(figures.roundCpuMs)} ms CPU, PostgreSQL ${figures.roundDatabaseCpuMs.toFixed(1)} ms   (a call and a tool, two steps)`,
  );
  say(
    `nothing to do      ${number(figures.idleQueriesPerSecond)} queries/s, ${figures.idleCpuPercent.toFixed(1)} % CPU, PostgreSQL ${figures.idleDatabaseCpuPercent.toFixed(1)} %`,
  );
}

try {
  const service = await startService();
  const idle = await idleCosts(service);
  const figures = { ...idle, ...(await taskCosts(service)), ...(await createAndList(service)) };
  report(figures);
  if (options.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await database.end();
  await stopAll();
  await postgres.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

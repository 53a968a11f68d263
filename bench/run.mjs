/**
 * npm run bench [-- --json] [--seconds 6] [--rounds 3] [--connections 32] [--compare bench/baseline.json] [--save FILE]
 * Gateway CPU per request and throughput beside a bare proxy, interleaved in one run, on a database of its own.
 * CPU per request and ratios are the figures to quote: machines are shared and noisy.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { analysisMicroseconds } from './analysis.mjs';
import { percentileMs } from './histogram.mjs';
import { cpuSeconds, rssMegabytes, run, start, stopAll } from './processes.mjs';
import { measureStreams } from './streams.mjs';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    streams: { type: 'string', default: '128' },
    compare: { type: 'string' },
    save: { type: 'string' },
  },
});
const here = (file) => path.join(import.meta.dirname, file);
const require = createRequire(import.meta.url);
const say = (line) => process.stderr.write(`${line}\n`);
const median = (values) => values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)];
const MAX_GROWTH = 1.2;
/** What is compared with a baseline: the gateway's CPU as a multiple of the bare proxy's. */
const COMPARED = [
  ['request', 'gatewayCpuMicroseconds', 'floorCpuMicroseconds'],
  ['chunk', 'chunkCpuMicroseconds', 'floorChunkCpuMicroseconds'],
];
const SAMPLE_MS = 10;

const dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-bench-'));
const { EmbeddedPostgres } = require('../dist/src/database/index.js');
const postgres = await EmbeddedPostgres.start({
  folder: path.join(dataDir, 'postgres'),
  dieWithParent: true,
});

async function call(url, route, body, credential) {
  const response = await fetch(`${url}${route}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential ? { authorization: `Bearer ${credential}` } : {}),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function startGateway(upstream) {
  const env = {
    PATH: process.env.PATH,
    LATTICE_ENV: 'test',
    LATTICE_SECRET_KEY: 'bench-'.repeat(8),
    DATABASE_URL: postgres.url,
    DATA_DIR: dataDir,
    PORT: '0',
    METRICS_TOKEN: 'bench-metrics',
    // As in production: a default limit for everybody stands in every admission, and is never reached.
    RATE_LIMIT_USER_PER_HOUR: '1000000000',
    RATE_LIMIT_GLOBAL_PER_HOUR: '1000000000',
    OPENAI_API_KEY: 'bench',
    OPENAI_BASE_URL: `http://127.0.0.1:${upstream}/v1`,
  };
  const gateway = await start(here('../dist/src/main.js'), [], { env, ready: /Lattice is ready at (\S+)/ });
  const url = gateway.match;
  const session = await call(url, '/api/v1/auth/register', {
    email: 'bench@example.com',
    password: 'bench-bench-bench',
    name: 'Bench',
  });
  const { key } = await call(url, '/api/v1/keys', { name: 'bench' }, session.accessToken);
  await watch(url, session);
  return { ...gateway, url, key };
}

/** A hard budget and limits that are never reached: they are checked on every request all the same. */
async function watch(url, { user, accessToken }) {
  const scope = { scope: 'user', scopeId: user.id };
  const budget = { ...scope, period: 'month', limitUsd: '100000000', mode: 'hard' };
  await call(url, '/api/v1/budgets', budget, accessToken);
  const limit = { ...scope, requestsPerMinute: 10 ** 8, tokensPerMinute: 10 ** 9, concurrency: 10 ** 4 };
  await call(url, '/api/v1/limits', limit, accessToken);
}

async function measure(target, databasePid) {
  const before = [cpuSeconds(target.pid), cpuSeconds(databasePid)];
  const load = await run(here('load.mjs'), [target.url, target.key, options.connections, options.seconds]);
  const [cpu, database] = [cpuSeconds(target.pid) - before[0], cpuSeconds(databasePid) - before[1]];
  if (load.failures > 0)
    throw new Error(`${target.name}: ${load.failures} of ${load.requests} requests failed`);
  return {
    requestsPerSecond: load.requests / Number(options.seconds),
    cpuMicroseconds: (cpu / load.requests) * 1e6,
    databaseCpuMicroseconds: (database / load.requests) * 1e6,
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
  };
}

async function metricsOf(gateway) {
  const headers = { authorization: 'Bearer bench-metrics' };
  return (await fetch(`${gateway.url}/metrics`, { headers })).text();
}

/** Beyond the 10 ms timer that the delay is sampled with. */
async function eventLoopDelayMs(gateway) {
  const metrics = await metricsOf(gateway);
  return Math.max(
    0,
    Number(/^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(metrics)?.[1]) * 1000 - SAMPLE_MS,
  );
}

async function compareTargets() {
  const { match: upstream } = await start(here('upstream.mjs'));
  const floor = await start(here('floor.mjs'), [`http://127.0.0.1:${upstream}`]);
  const gateway = await startGateway(upstream);
  const targets = [
    { name: 'floor', pid: floor.pid, url: `http://127.0.0.1:${floor.match}`, key: 'x', rows: [] },
    { name: 'gateway', pid: gateway.pid, url: gateway.url, key: gateway.key, rows: [] },
  ];
  for (const target of targets) await measure(target, postgres.pid);
  const before = await metricsOf(gateway);
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const target of targets) target.rows.push(await measure(target, postgres.pid));
  }
  const after = await metricsOf(gateway);
  const figure = (name, field) =>
    median(targets.find((target) => target.name === name).rows.map((row) => row[field]));
  const size = { count: options.streams, seconds: options.seconds };
  const [floorStreams, streams] = [
    await measureStreams(targets[0], size),
    await measureStreams(targets[1], size),
  ];
  return {
    gatewayCpuMicroseconds: figure('gateway', 'cpuMicroseconds'),
    databaseCpuMicroseconds: figure('gateway', 'databaseCpuMicroseconds'),
    requestsPerSecond: figure('gateway', 'requestsPerSecond'),
    floorCpuMicroseconds: figure('floor', 'cpuMicroseconds'),
    floorRequestsPerSecond: figure('floor', 'requestsPerSecond'),
    p50Ms: figure('gateway', 'p50Ms'),
    p99Ms: figure('gateway', 'p99Ms'),
    floorP99Ms: figure('floor', 'p99Ms'),
    admitP50Ms: percentileMs(before, after, 'ledger_admit_seconds', 0.5),
    admitP99Ms: percentileMs(before, after, 'ledger_admit_seconds', 0.99),
    settleP50Ms: percentileMs(before, after, 'ledger_settle_seconds', 0.5),
    settleP99Ms: percentileMs(before, after, 'ledger_settle_seconds', 0.99),
    eventLoopDelayP99Ms: await eventLoopDelayMs(gateway),
    rssMegabytes: rssMegabytes(gateway.pid),
    cleanStreams: streams.clean,
    streams: streams.streams,
    chunkCpuMicroseconds: streams.cpuMicrosecondsPerChunk,
    floorChunkCpuMicroseconds: floorStreams.cpuMicrosecondsPerChunk,
    streamRssGrowthMegabytes: streams.rssGrowthMegabytes,
  };
}

function report(figures) {
  const number = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(1)).padStart(8);
  say(`gateway CPU      ${number(figures.gatewayCpuMicroseconds)} µs/request`);
  say(`PostgreSQL CPU   ${number(figures.databaseCpuMicroseconds)} µs/request`);
  say(
    `bare proxy CPU   ${number(figures.floorCpuMicroseconds)} µs/request   (ratio ${(figures.gatewayCpuMicroseconds / figures.floorCpuMicroseconds).toFixed(2)})`,
  );
  say(
    `throughput       ${number(figures.requestsPerSecond)} /s   bare proxy ${number(figures.floorRequestsPerSecond)} /s`,
  );
  say(
    `latency          p50 ${figures.p50Ms.toFixed(1)} ms, p99 ${figures.p99Ms.toFixed(1)} ms (bare proxy p99 ${figures.floorP99Ms.toFixed(1)} ms) at ${options.connections} connections`,
  );
  const pair = (p50, p99) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
  say(
    `ledger           admit ${pair(figures.admitP50Ms, figures.admitP99Ms)}; settle ${pair(figures.settleP50Ms, figures.settleP99Ms)}`,
  );
  say(
    `event loop       p99 delay ${figures.eventLoopDelayP99Ms.toFixed(1)} ms, RSS ${figures.rssMegabytes.toFixed(0)} MB`,
  );
  say(
    `streams          ${figures.cleanStreams} of ${figures.streams}, ${options.streams} at a time, brought every frame; RSS grew by ${figures.streamRssGrowthMegabytes.toFixed(1)} MB`,
  );
  say(
    `chunk CPU        ${number(figures.chunkCpuMicroseconds)} µs/chunk     bare pipe ${number(figures.floorChunkCpuMicroseconds)} µs/chunk`,
  );
  say(
    `task analysis    ${figures.analysisMicroseconds.toFixed(1)} µs per 1 KB prompt, ${figures.analysisCachedMicroseconds.toFixed(2)} µs cached`,
  );
}

function compare(figures, file) {
  const baseline = JSON.parse(readFileSync(file, 'utf8'));
  for (const [unit, own, floor] of COMPARED) {
    const ratio = (row) => row[own] / row[floor];
    const [now, then] = [ratio(figures), ratio(baseline)];
    if (!Number.isFinite(then)) {
      say(`per ${unit}: ${now.toFixed(2)} of the bare proxy's CPU; ${file} holds no such figure`);
      continue;
    }
    const growth = now / then;
    say(
      `per ${unit}: ${now.toFixed(2)} of the bare proxy's CPU, baseline ${then.toFixed(2)}, growth ${((growth - 1) * 100).toFixed(0)} %`,
    );
    if (growth <= MAX_GROWTH) continue;
    say(`The ratio per ${unit} grew by more than ${Math.round((MAX_GROWTH - 1) * 100)} %`);
    process.exitCode = 1;
  }
}

try {
  const figures = { ...(await compareTargets()), ...(await analysisMicroseconds()) };
  report(figures);
  if (options.compare) compare(figures, options.compare);
  if (options.save) writeFileSync(options.save, `${JSON.stringify(figures, null, 2)}\n`);
  if (options.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await stopAll();
  await postgres.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

/**
 * Promise: a project survives anything. Processes are killed at random, one stands still for longer than its lease,
 * PostgreSQL crashes: every task succeeds, and only what was in flight is asked for again.
 */
import { toApiId } from '../../src/common/index';
import { PrivateServer } from '../support/database/private-server';
import { eventually } from '../support/eventually';
import { audit } from '../support/proof/audit';
import { CHEAP, DEAR, MIDDLE, PROOF_MODELS, proofModelsFolder } from '../support/proof/models';
import { type Disturbance, ProjectChaos } from '../support/proof/project-chaos';
import { PROJECT_ENV, ProjectWork, scriptOf, stepCalls, type WorkTask } from '../support/proof/project-work';
import { type Random, withRandom } from '../support/proof/random';
import { repetitions, resumedAfterMs } from '../support/proof/resumption';
import { ServiceCluster, slotOf } from '../support/proof/service-cluster';
import { isFullSize, proofSize, reportProof } from '../support/proof-report';

const TASKS = proofSize(30, 300);
const ROUNDS = proofSize(3, 5);
const AT_ONCE = proofSize(6, 20);
const PROCESSES = 3;
const LEASE_MS = proofSize(2000, 10_000);
const FROZEN_MS = proofSize(3000, 15_000);
/** Long enough for many kills while the tasks run. */
const LONGEST_CALL_MS = proofSize(450, 1500);
const KILL_EVERY_MS = 1500;
/** One at a time, when every process is up: restarts that take the processor would be measured otherwise. */
const LONE_KILLS = proofSize(1, 30);
const RESUME_LIMIT_MS = 1000;
const HOLDS_LIMIT_MS = 40_000;
const TIMEOUT_MS = proofSize(180_000, 1_200_000);

describe('projects while everything dies', () => {
  let postgres: PrivateServer;
  let cluster: ServiceCluster;
  let work: ProjectWork;

  beforeAll(async () => {
    postgres = await PrivateServer.start();
    cluster = await ServiceCluster.start({
      processes: PROCESSES,
      env: {
        ...PROJECT_ENV,
        LATTICE_CONFIG_DIR: proofModelsFolder(),
        TASK_CONCURRENCY: String(AT_ONCE),
        DURABLE_LEASE_MS: String(LEASE_MS),
        ...(isFullSize ? {} : { HOLD_LEASE_MS: '2000' }),
      },
      tellsSlots: true,
      databaseUrl: postgres.url,
    });
    const owner = await cluster.register();
    await cluster.createBudget(owner, '1000000000');
    work = await ProjectWork.of(cluster, owner);
  }, TIMEOUT_MS);

  afterAll(async () => {
    await cluster?.close();
    await postgres?.stop();
  });

  const aTask = (random: Random, index: number): WorkTask => ({
    title: `Task ${index}`,
    model: random.pick([CHEAP, MIDDLE, DEAR]).id,
    description: scriptOf(ROUNDS, {
      answer: random.words(random.int(5, 60)),
      delayMs: random.int(150, LONGEST_CALL_MS),
    }),
    // A fifth of them wait for an earlier one.
    dependsOn: index > 0 && random.chance(0.2) ? [random.int(0, index - 1)] : [],
  });

  /** The provider's log has come to this share of the calls that are needed. */
  const reached = (share: number) =>
    eventually(async () => {
      const { length } = await stepCalls(cluster.truth);
      return length >= share * TASKS * ROUNDS || undefined;
    }, TIMEOUT_MS);

  /** Which request each step was kept from, by the step's idempotency key. */
  async function keptRequests(): Promise<ReadonlyMap<string, string>> {
    const { rows } = await cluster.books.pool.query<{ key: string; request: string }>(
      `select task_id || '.' || generation || '.' || step as key, request_id as request
       from task_steps where request_id is not null`,
    );
    return new Map(rows.map(({ key, request }) => [key, toApiId('req', request)]));
  }

  it(
    'finishes every task and asks again only for what was in flight',
    () =>
      withRandom(async (random) => {
        const tasks = Array.from({ length: TASKS }, (_, index) => aTask(random, index));
        const project = await work.started(tasks);
        const options = { slots: PROCESSES, everyMs: KILL_EVERY_MS, frozenMs: FROZEN_MS };
        await reached(0.05);
        const from = Date.now();
        const chaos = new ProjectChaos(cluster, postgres, random, options);
        try {
          await reached(0.2);
          const frozen = chaos.freeze();
          await reached(0.55);
          await chaos.restartPostgres();
          await Promise.all([frozen, work.until(project, 'completed', TIMEOUT_MS)]);
        } finally {
          await chaos.stop();
        }
        const tookMs = Date.now() - from;
        await cluster.books.settled(HOLDS_LIMIT_MS);
        await eventually(() => Promise.resolve(cluster.hasNoJournal() || undefined), HOLDS_LIMIT_MS);

        const ended = await work.tasks(project);
        expect(ended.filter(({ state }) => state !== 'succeeded')).toEqual([]);
        expect(ended).toHaveLength(TASKS);

        const log = await cluster.log();
        const calls = await stepCalls(cluster.truth);
        const again = repetitions(calls, chaos.disturbances);
        expect(again.filter(({ cause }) => !cause)).toEqual([]);
        const kept = await keptRequests();
        const last = new Map(calls.map(({ stepKey, requestId }) => [stepKey, requestId]));
        expect(last.size).toBe(TASKS * ROUNDS);
        expect([...last].filter(([key, request]) => kept.get(key) !== request)).toEqual([]);

        const lines = await cluster.books.lines();
        const result = audit({
          attempts: log,
          lines,
          models: PROOF_MODELS,
          priceVersions: await cluster.books.priceVersions(),
          mayStandAlone: ({ outcome, usageSource }) => outcome === 'crashed' && usageSource === 'upper_bound',
        });
        expect(result.faults.slice(0, 5)).toEqual([]);
        expect(await cluster.books.differences()).toEqual([]);

        const kills = chaos.disturbances.filter(({ kind }) => kind === 'kill');
        reportProof(11, {
          processes: PROCESSES,
          'tasks, all succeeded': TASKS,
          'rounds of each': ROUNDS,
          'kill -9': kills.length,
          'SIGSTOP, seconds': FROZEN_MS / 1000,
          'crashes of PostgreSQL': chaos.outages.length,
          'seconds in all': Math.round(tookMs / 1000),
          'calls of tasks in the log': calls.length,
          'calls made again': again.length,
          'of these not in flight when their process died or stood still': 0,
          'lines equal to the log': result.exact,
          'lines at a labelled bound': result.bounded + result.alone.length,
          'held at the end': 0,
        });
        expect(kills.length).toBeGreaterThan(0);
      }),
    TIMEOUT_MS,
  );

  it(
    'goes on within a second of a kill',
    async () => {
      const gaps: number[] = [];
      for (let time = 0; time < LONE_KILLS; time++) {
        const tasks = Array.from({ length: PROCESSES * 2 }, (_, index) => ({
          title: `Task ${index}`,
          description: scriptOf(3, { delayMs: 800 }),
        }));
        const project = await work.started(tasks);
        const slot = await eventually(async () => {
          const open = (await stepCalls(cluster.truth)).find(({ outcome }) => outcome === 'open');
          return open && slotOf(open);
        }, TIMEOUT_MS);
        const kill: Disturbance = { kind: 'kill', slot, at: Date.now() };
        await cluster.kill(slot);
        await work.until(project, 'completed', TIMEOUT_MS);
        gaps.push(resumedAfterMs(await stepCalls(cluster.truth), kill) ?? Infinity);
        await cluster.restart(slot);
      }
      gaps.sort((left, right) => left - right);
      const p99 = gaps[Math.ceil(gaps.length * 0.99) - 1] ?? Infinity;
      reportProof(11, {
        'kills one at a time, the others well': gaps.length,
        'median from SIGKILL to the first resumed call, ms': gaps[Math.floor(gaps.length / 2)] ?? '-',
        'p99 from SIGKILL to the first resumed call, ms': p99,
      });
      expect(p99).toBeLessThan(isFullSize ? RESUME_LIMIT_MS : TIMEOUT_MS);
    },
    TIMEOUT_MS,
  );
});

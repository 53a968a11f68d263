/**
 * Promise: a process that stood still for longer than its lease writes nothing of what it was in the middle of. Its call
 * to the provider may end; what came of it is booked and thrown away.
 */
import { fromApiId, toApiId } from '../../src/common/index';
import { eventually } from '../support/eventually';
import { audit } from '../support/proof/audit';
import type { BookedLine } from '../support/proof/books';
import { PROOF_MODELS, proofModelsFolder } from '../support/proof/models';
import {
  PROJECT_ENV,
  ProjectWork,
  scriptOf,
  type StartedProject,
  type StepCall,
  stepCalls,
} from '../support/proof/project-work';
import { withRandom } from '../support/proof/random';
import { repetitions } from '../support/proof/resumption';
import { ServiceCluster, slotOf } from '../support/proof/service-cluster';
import { proofSize, reportProof } from '../support/proof-report';

const TASKS = proofSize(12, 60);
const ROUNDS = 3;
const LEASE_MS = proofSize(2000, 10_000);
const TIMES = proofSize(1, 5);
const [ZOMBIE, PEER] = [0, 1];
const TIMEOUT_MS = proofSize(150_000, 600_000);

/** Everything that work on a project writes, row by row. $1 is its UUID. */
const OWN_TASKS = 'select id from tasks where project_id = $1';
const TABLES = {
  projects: 'select * from projects where id = $1',
  project_runs: 'select * from project_runs where project_id = $1 order by id',
  tasks: 'select * from tasks where project_id = $1 order by id',
  task_steps: `select * from task_steps where task_id in (${OWN_TASKS}) order by task_id, generation, step`,
  durable_writes: `select * from durable_writes where split_part(run_id, ':', 1) in
    (select id::text from (${OWN_TASKS}) own) order by run_id, step`,
  events: `select id, type, data from events where resource = 'prj_' || replace($1::uuid::text, '-', '') order by id`,
};

describe('a process that comes back after it was given up', () => {
  let cluster: ServiceCluster;
  let work: ProjectWork;

  beforeAll(async () => {
    cluster = await ServiceCluster.start({
      processes: 2,
      env: {
        ...PROJECT_ENV,
        LATTICE_CONFIG_DIR: proofModelsFolder(),
        DURABLE_LEASE_MS: String(LEASE_MS),
        HOLD_LEASE_MS: '2000',
        // Neither may take all of them.
        TASK_CONCURRENCY_PER_NODE: String(TASKS / 2),
      },
      tellsSlots: true,
    });
    work = await ProjectWork.of(cluster, await cluster.register());
  }, TIMEOUT_MS);

  afterAll(() => (cluster as ServiceCluster | undefined)?.close());

  async function rowsOf({ id }: StartedProject): Promise<Record<string, readonly object[]>> {
    const found: Record<string, readonly object[]> = {};
    for (const [table, sql] of Object.entries(TABLES)) {
      found[table] = (await cluster.books.pool.query<object>(sql, [fromApiId('prj', id)])).rows;
    }
    return found;
  }

  const inFlight = (calls: readonly StepCall[]) =>
    calls.filter((call) => call.outcome === 'open' && slotOf(call) === ZOMBIE);

  it(
    'leaves every row as its successor wrote it',
    () =>
      withRandom(async (random) => {
        let [handedOver, ended, frozenMs] = [0, 0, 0];
        const disturbances = [];
        for (let time = 0; time < TIMES; time++) {
          const tasks = Array.from({ length: TASKS }, (_, index) => ({
            title: `Task ${time}.${index}`,
            description: scriptOf(ROUNDS, { answer: random.words(20), delayMs: random.int(300, 900) }),
          }));
          const project = await work.started(tasks);
          await eventually(async () => {
            const calls = await stepCalls(cluster.truth);
            return inFlight(calls).length >= TASKS / 6 || undefined;
          }, TIMEOUT_MS);
          const frozenAt = Date.now();
          cluster.freeze(ZOMBIE);
          disturbances.push({ kind: 'freeze' as const, slot: ZOMBIE, at: frozenAt });
          const stuck = inFlight(await stepCalls(cluster.truth));
          await work.until(project, 'completed', TIMEOUT_MS);
          const before = await rowsOf(project);

          await cluster.thaw(ZOMBIE);
          frozenMs = Math.max(frozenMs, Date.now() - frozenAt);
          await provesThatItWorks();

          expect(await rowsOf(project)).toEqual(before);
          expect(sizesOf(before)).toMatchObject({ tasks: TASKS, task_steps: TASKS * (2 * ROUNDS - 1) });
          const log = new Map((await cluster.log()).map((attempt) => [attempt.id, attempt]));
          handedOver += stuck.length;
          ended += stuck.filter(({ id }) => log.get(id)?.outcome === 'completed').length;
        }

        const calls = await stepCalls(cluster.truth);
        const again = repetitions(calls, disturbances);
        expect(again.filter(({ cause }) => !cause)).toEqual([]);
        expect(handedOver).toBeGreaterThan(0);
        expect(await keptOfTheFrozen(again.map(({ first }) => first))).toEqual([]);
        await cluster.books.settled(TIMEOUT_MS);
        const result = audit({
          attempts: await cluster.log(),
          lines: await cluster.books.lines(),
          models: PROOF_MODELS,
          priceVersions: await cluster.books.priceVersions(),
          mayStandAlone: wasNeverSent,
        });
        expect(result.faults.slice(0, 5)).toEqual([]);
        expect(await cluster.books.differences()).toEqual([]);
        reportProof(13, {
          'times stopped past the lease': TIMES,
          'lease, seconds': LEASE_MS / 1000,
          'longest stop, seconds': Math.round(frozenMs / 1000),
          'tasks, all succeeded': TASKS * TIMES,
          'calls in flight when it stopped': handedOver,
          'of these answered to it': ended,
          'calls made again by its successor': again.length,
          'rows that it wrote or changed after it came back': 0,
        });
      }),
    TIMEOUT_MS,
  );

  /** The one that came back carries out a project by itself: by then it has long noticed what it lost. */
  async function provesThatItWorks(): Promise<void> {
    await cluster.kill(PEER);
    const project = await work.started([{ title: 'Alone', description: scriptOf(2, { delayMs: 100 }) }]);
    await work.until(project, 'completed', TIMEOUT_MS);
    await cluster.restart(PEER);
    await cluster.books.settled(TIMEOUT_MS);
  }

  /** Answers to the process that stood still, among those that are kept. */
  async function keptOfTheFrozen(calls: readonly StepCall[]): Promise<readonly string[]> {
    const { rows: kept } = await cluster.books.pool.query<{ request: string }>(
      'select request_id as request from task_steps where request_id is not null',
    );
    const requests = new Set(kept.map(({ request }) => toApiId('req', request)));
    return calls.flatMap(({ requestId, stepKey }) => (requests.has(requestId ?? '') ? [stepKey] : []));
  }
});

/**
 * Who came back was about to ask, and learned in time that the work is not its own any more; or it had written down what
 * it was about to ask, and was believed dead before it did.
 */
function wasNeverSent({ outcome, usageSource, costPico }: BookedLine): boolean {
  return (
    (outcome === 'cancelled' && costPico === 0n) || (outcome === 'crashed' && usageSource === 'upper_bound')
  );
}

function sizesOf(rows: Record<string, readonly object[]>): Record<string, number> {
  return Object.fromEntries(Object.entries(rows).map(([table, found]) => [table, found.length]));
}

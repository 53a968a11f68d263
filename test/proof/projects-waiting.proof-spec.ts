/**
 * Promise: who waits holds nothing up. Half of the tasks are told 429 with Retry-After by their provider, at a
 * concurrency of four: while they wait they have no slot, and the other half goes on.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CHEAP, DEAR, proofModelsFolder } from '../support/proof/models';
import {
  PROJECT_ENV,
  ProjectWork,
  scriptOf,
  type StepCall,
  stepCalls,
  type WorkTask,
} from '../support/proof/project-work';
import { ServiceCluster } from '../support/proof/service-cluster';
import { proofSize, reportProof } from '../support/proof-report';

const SLOTS = 4;
const HALF = proofSize(12, 40);
const CALL_MS = 300;
const RETRY_AFTER_S = proofSize(3, 5);
/** How often each of the refused half is refused. */
const REFUSALS = proofSize(1, 2);
const SAMPLE_MS = 20;
/** From the provider's refusal to the end of the transaction that gives the slot back. */
const LETTING_GO_MS = 1000;
const TIMEOUT_MS = proofSize(120_000, 300_000);

const REFUSED = DEAR;
const WELL = CHEAP;

/** A task that has a slot, in the database's own words: by its state, or by its durable run. */
const HOLDING = `
  select t.id, t.state from tasks t
  where t.state = 'running' or exists (
    select from dbos.workflow_status w where w.workflow_uuid = t.workflow_id and w.status = 'PENDING')`;

interface Sample {
  readonly at: number;
  /** UUIDs. */
  readonly holding: readonly string[];
}

describe('tasks that wait for their provider', () => {
  let cluster: ServiceCluster;
  let work: ProjectWork;

  beforeAll(async () => {
    const env = {
      ...PROJECT_ENV,
      LATTICE_CONFIG_DIR: proofModelsFolder(),
      TASK_CONCURRENCY: String(SLOTS),
    };
    cluster = await ServiceCluster.start({ processes: 1, env });
    work = await ProjectWork.of(cluster, await cluster.register());
  }, TIMEOUT_MS);

  afterAll(() => (cluster as ServiceCluster | undefined)?.close());

  const wellHalf = (): WorkTask[] =>
    Array.from({ length: HALF }, (_, index) => ({
      title: `Well ${index}`,
      model: WELL.id,
      description: scriptOf(1, { answer: 'fine', delayMs: CALL_MS }),
    }));

  async function refusedHalf(): Promise<WorkTask[]> {
    const fault = { kind: 'status' as const, status: 429, retryAfter: RETRY_AFTER_S };
    const names = Array.from({ length: HALF }, (_, index) => `refused-${index}`);
    const steps = [...Array.from({ length: REFUSALS }, () => ({ fault })), { answer: 'at last' }];
    await cluster.truth.script(...names.map((name) => ({ name, steps })));
    return names.map((name) => ({
      title: name,
      model: REFUSED.id,
      description: `[[script:${name}]]`,
    }));
  }

  /** Milliseconds from the first to the end of the last call of the half that nobody refuses. */
  async function measured(
    tasks: readonly WorkTask[],
  ): Promise<{ tookMs: number; calls: readonly StepCall[] }> {
    const project = await work.started(tasks);
    await work.until(project, 'completed', TIMEOUT_MS);
    const ids = new Set((await work.tasks(project)).map(({ id }) => id));
    const calls = (await stepCalls(cluster.truth)).filter(({ taskId }) => ids.has(taskId));
    const well = calls.filter(({ model }) => model === WELL.upstreamId);
    const end = Math.max(...well.map(({ endedAt }) => endedAt ?? Infinity));
    return { tookMs: end - Math.min(...well.map(({ at }) => at)), calls };
  }

  it(
    'hold no slot, and the others go on',
    async () => {
      const alone = await measured(wellHalf());
      const sampler = new SlotSampler(cluster);
      // Taken turns: one that is refused, one that is not.
      const refused = await refusedHalf();
      const mixed = wellHalf().flatMap((task, index) => [refused[index] as WorkTask, task]);
      const beside = await measured(mixed);
      const samples = await sampler.stop();

      const held = samples.flatMap((sample) => heldByWaiting(sample, beside.calls));
      const refusals = beside.calls.filter(({ outcome }) => outcome === 'rejected');
      reportProof(14, {
        slots: SLOTS,
        'tasks that are refused': HALF,
        'refusals, Retry-After in seconds': [String(refusals.length), String(RETRY_AFTER_S)].join(' × '),
        'tasks that are not': HALF,
        samples: samples.length,
        'samples with a slot that a waiting task held': held.length,
        'most tasks with a slot': Math.max(...samples.map(({ holding }) => holding.length)),
        'tasks per second of the other half, alone': (HALF / (alone.tookMs / 1000)).toFixed(1),
        'the same beside the refused ones': (HALF / (beside.tookMs / 1000)).toFixed(1),
      });
      expect(held.length).toBe(0);
      expect(refusals).toHaveLength(HALF * REFUSALS);
      expect(refusals.every((refusal) => waitedFor(refusal, beside.calls))).toBe(true);
      expect(Math.max(...samples.map(({ holding }) => holding.length))).toBeLessThanOrEqual(SLOTS + 1);
      // If waiting held slots, the whole would have to wait for every refusal, four at a time.
      expect(beside.tookMs).toBeLessThan((HALF / SLOTS) * REFUSALS * RETRY_AFTER_S * 1000);
    },
    TIMEOUT_MS,
  );
});

/** Tasks that still had a slot long after their provider had told them to wait. */
function heldByWaiting({ at, holding }: Sample, calls: readonly StepCall[]): readonly string[] {
  return holding.filter((task) => {
    const last = calls.findLast((call) => call.stepKey.startsWith(task) && call.at <= at);
    return (
      last?.outcome === 'rejected' && (last.endedAt ?? Infinity) < at - LETTING_GO_MS && !isDue(last, at)
    );
  });
}

const isDue = ({ at }: StepCall, now: number): boolean => now >= at + RETRY_AFTER_S * 1000;

/** The task asked again, and not before it was told to. */
function waitedFor(refusal: StepCall, calls: readonly StepCall[]): boolean {
  const next = calls.find(({ taskId, at }) => taskId === refusal.taskId && at > refusal.at);
  return next !== undefined && isDue(refusal, next.at);
}

/** Who has a slot, read again and again. */
class SlotSampler {
  private readonly samples: Sample[] = [];
  private isRunning = true;
  private readonly loop: Promise<void>;

  constructor(private readonly cluster: ServiceCluster) {
    this.loop = this.sample();
    this.loop.catch(() => undefined);
  }

  async stop(): Promise<readonly Sample[]> {
    this.isRunning = false;
    await this.loop;
    return this.samples;
  }

  private async sample(): Promise<void> {
    while (this.isRunning) {
      const { rows } = await this.cluster.books.pool.query<{ id: string }>(HOLDING);
      this.samples.push({ at: Date.now(), holding: rows.map(({ id }) => id) });
      await delay(SAMPLE_MS);
    }
  }
}

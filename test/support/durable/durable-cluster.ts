import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { buildDataSourceOptions } from '../../../src/database/index';
import { toServiceUnavailable } from '../../../src/errors/index';
import { eventually } from '../eventually';
import { type DurableNode, startDurableNode } from './durable-node';
import { DurableProcess } from './durable-process';

const LIMIT_MS = 120_000;
export const RUNS = 6;
export const ROUNDS = 4;
/** Long enough for a test to find all runs in the middle of a call. */
const CALL_MS = 300;

export interface Note {
  readonly runId: string;
  readonly round: number;
  readonly pid: number;
}

/** Processes that carry out runs of `ROUNDS` rounds on one database, and what they have done. */
export class DurableCluster {
  private processes: DurableProcess[] = [];

  private constructor(
    private readonly url: string,
    private readonly env: NodeJS.ProcessEnv,
    readonly database: DataSource,
    /** Takes requests and carries out nothing. */
    readonly asking: DurableNode,
  ) {}

  static async on(url: string, env: NodeJS.ProcessEnv = {}): Promise<DurableCluster> {
    const database = await new DataSource(buildDataSourceOptions(url, 2)).initialize();
    const asking = await startDurableNode(
      url,
      (engine) => ['rounds', 'poison'].forEach((name) => engine.workflow(name, () => Promise.resolve(null))),
      { PROJECT_WORKER: 'off' },
    );
    for (const table of ['calls', 'effects'])
      await database.query(`create table ${table} (number serial, run_id text, round integer, pid integer)`);
    return new DurableCluster(url, env, database, asking);
  }

  /** So many processes that live: those that are there, and new ones. */
  async have(count: number): Promise<DurableProcess[]> {
    this.processes = this.processes.filter(({ isAlive }) => isAlive);
    const missing = Math.max(0, count - this.processes.length);
    const started = Array.from({ length: missing }, () => DurableProcess.start(this.url, this.env));
    this.processes.push(...(await Promise.all(started)));
    return this.processes.slice(0, count);
  }

  async enqueueRuns(callMs = CALL_MS): Promise<string[]> {
    const ids = Array.from({ length: RUNS }, () => randomUUID());
    for (const id of ids) await this.asking.enqueue('rounds', { rounds: ROUNDS, callMs }, { id });
    return ids;
  }

  async notes(table: 'calls' | 'effects', ids: readonly string[]): Promise<Note[]> {
    return await this.database.query(
      `select run_id as "runId", round, pid from ${table} where run_id = any($1) order by number`,
      [ids],
    );
  }

  /** Until a condition on the calls that were made holds. */
  async untilCalls(ids: readonly string[], isEnough: (calls: Note[]) => boolean): Promise<void> {
    await eventually(async () => isEnough(await this.notes('calls', ids)) || undefined, LIMIT_MS);
  }

  /** Until a process has told so often that it lives, from now on. */
  async untilBeats(count: number): Promise<void> {
    const seen = new Set<string>();
    await eventually(async () => {
      const rows = await this.database
        .query<{ at: string | null }[]>(`select max(beat_at)::text as at from durable_nodes`)
        .catch(() => []);
      for (const { at } of rows) if (at !== null) seen.add(at);
      // The first is the last one from before.
      return seen.size > count || undefined;
    }, LIMIT_MS);
  }

  /** Until all of them have succeeded. */
  async allEnded(ids: readonly string[]): Promise<void> {
    await eventually(async () => {
      const found = await this.asking.engine.statuses(ids).catch((error: unknown) => {
        if (!toServiceUnavailable(error)) throw error;
        return [];
      });
      const isOver = found.length === ids.length && found.every(({ state }) => state === 'succeeded');
      return isOver || undefined;
    }, LIMIT_MS);
  }

  /** Every round of every run is written once, and only what was under way was called again. */
  async expectExact(ids: readonly string[], repeated: number): Promise<void> {
    const effects = (await this.notes('effects', ids)).map(({ runId, round }) => `${runId} ${round}`);
    const wanted = ids.flatMap((id) => Array.from({ length: ROUNDS }, (_, round) => `${id} ${round}`));
    expect(effects.toSorted()).toEqual(wanted.toSorted());
    expect((await this.notes('calls', ids)).length).toBeLessThanOrEqual(wanted.length + repeated);
  }

  /** How many processes are left, once those that were killed are gone. */
  get livingCount(): number {
    return this.processes.filter(({ isAlive }) => isAlive).length;
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map((one) => one.destroy()));
    await this.asking.close();
    await this.database.destroy();
  }
}

/** Each run has made a call. */
export function allUnderWay(calls: readonly Note[]): boolean {
  return new Set(calls.map(({ runId }) => runId)).size === RUNS;
}

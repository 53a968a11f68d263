/** A process that carries out durable runs of many rounds, each a call and what is written of it. Argument: the database. */
import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import type { DurableEngine } from '../../../src/durable/index';
import { startDurableNode } from './durable-node';

interface Rounds {
  readonly [key: string]: number;
  readonly rounds: number;
  readonly callMs: number;
}

function define(engine: DurableEngine): void {
  const note = (table: string, round: number): [string, unknown[]] => [
    `insert into ${table} (run_id, round, pid) values ($1, $2, $3)`,
    [engine.runId, round, process.pid],
  ];
  engine.workflow('rounds', async ({ rounds, callMs }: Rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      await engine.step(`call-${round}`, async (signal) => {
        await engine.guarded((tx) => tx.query(...note('calls', round)));
        await delay(callMs, undefined, { signal });
        return null;
      });
      await engine.fenced(`write-${round}`, async (tx) => {
        await tx.query(...note('effects', round));
        return null;
      });
    }
    return rounds;
  });
  engine.workflow('poison', async () => {
    await engine.step('die', () => {
      process.kill(process.pid, 'SIGKILL');
      return endless();
    });
    return null;
  });
}

function endless(): Promise<null> {
  return new Promise(() => undefined);
}

async function main(url: string): Promise<void> {
  const node = await startDurableNode(url, define, process.env);
  process.stdout.write('ready\n');
  process.once('SIGTERM', () => void node.close().then(() => process.exit(0)));
}

void main(process.argv[2] ?? '');

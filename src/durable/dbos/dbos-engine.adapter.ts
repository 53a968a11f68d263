import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { JsonValue } from '../../common/index';
import {
  DurableEngine,
  type QueueLimits,
  type RunStatus,
  type Start,
  type StartOptions,
  type WorkflowBody,
} from '../durable-engine';
import { Departure } from '../departure';
import { Fence, type FencedRun } from '../fence';
import { RunningSteps } from '../running-steps';
import { APPLICATION_VERSION, DbosSdk } from './dbos-sdk';
import { RunCommands } from './run-commands';
import { type Envelope, RunRegistry } from './run-registry';

/** Where a child tells its parent that it has ended. */
const ENDED = 'durable:ended';
/** Covers children that were cancelled or given up, and so told nothing. */
const ENDED_TIMEOUT_MS = 5000;

/** What this process remembers of a run that it carries out. */
interface RunMemory {
  /** Children that have ended while nobody waited for them. */
  readonly ended: Set<string>;
  isProgressNoted: boolean;
}

/** Durable runs by DBOS. What a body calls goes to the journal; what everyone may call, to the tables. */
@Injectable()
export class DbosEngine extends DurableEngine {
  private readonly memories = new AsyncLocalStorage<RunMemory>();

  constructor(
    private readonly sdk: DbosSdk,
    private readonly registry: RunRegistry,
    private readonly commands: RunCommands,
    private readonly steps: RunningSteps,
    private readonly fence: Fence,
    private readonly departure: Departure,
  ) {
    super();
  }

  workflow<Input extends JsonValue, Output extends JsonValue>(
    name: string,
    body: WorkflowBody<Input, Output>,
  ): void {
    this.registry.addBody(name, (envelope) =>
      this.memories.run({ ended: new Set(), isProgressNoted: false }, () =>
        this.carryOut(body as unknown as WorkflowBody<JsonValue, JsonValue>, envelope),
      ),
    );
  }

  queue(name: string, limits: QueueLimits = {}): void {
    this.registry.addQueue(name, limits);
  }

  async enqueue(tx: EntityManager, name: string, input: JsonValue, options: StartOptions): Promise<void> {
    await this.enqueueAll(tx, name, [{ ...options, input }]);
  }

  async enqueueAll(tx: EntityManager, name: string, starts: readonly Start[]): Promise<void> {
    for (const { queue } of starts) this.registry.check(name, queue);
    await this.commands.enqueue(tx, name, starts);
  }

  async startChild(
    name: string,
    input: JsonValue,
    { id, queue, delayMs = 0 }: StartOptions,
  ): Promise<string> {
    this.registry.check(name, queue);
    const { DBOS } = this.sdk.now;
    const options = {
      workflowName: name,
      workflowID: id,
      queueName: queue,
      appVersion: APPLICATION_VERSION,
      delaySeconds: DbosSdk.seconds(delayMs),
    };
    const envelope: Envelope = { input, queue, parent: this.runId };
    await this.translated(DBOS.enqueueWorkflowWithOptions(options, envelope));
    if (delayMs === 0) await this.commands.wake(queue).catch(() => undefined);
    return id;
  }

  async firstEnded(childIds: readonly string[]): Promise<string> {
    const { ended } = this.memory;
    for (;;) {
      const known = childIds.find((id) => ended.has(id));
      if (known !== undefined) {
        ended.delete(known);
        return known;
      }
      const told = await this.received<string>(ENDED, ENDED_TIMEOUT_MS);
      if (told !== null) ended.add(told);
      else for (const id of await this.step(ENDED, () => this.endedAmong(childIds))) ended.add(id);
    }
  }

  async step<T extends JsonValue>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { memory } = this;
    await this.departure.passBy(this.runId);
    let owner: string | undefined;
    const result = await this.translated(
      this.sdk.now.DBOS.runStep(
        () => {
          owner = this.owner;
          return this.steps.track(this.runId, owner, work);
        },
        { name },
      ),
    );
    if (owner !== undefined && !memory.isProgressNoted)
      memory.isProgressNoted = await this.fence.noteProgress(this.runId, owner);
    return result;
  }

  async fenced<T extends JsonValue>(name: string, work: (tx: EntityManager) => Promise<T>): Promise<T> {
    const { DBOS } = this.sdk.now;
    return await this.translated(
      DBOS.runStep(
        () =>
          this.asOwner((run) => {
            if (DBOS.stepID === undefined) throw new Error('A step has a number');
            return this.fence.once(run, DBOS.stepID, work);
          }),
        { name },
      ),
    );
  }

  async guarded<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return await this.asOwner((run) => this.fence.write(run, work));
  }

  async confirm(): Promise<void> {
    await this.steps.confirm(this.runId, this.owner);
  }

  async sleep(ms: number): Promise<void> {
    await this.translated(this.sdk.now.DBOS.sleep(ms));
  }

  async signal(runId: string, topic: string, value: JsonValue): Promise<void> {
    const { DBOS } = await this.sdk.load();
    if (DBOS.isInWorkflow()) await this.translated(DBOS.send(runId, value, topic));
    else await this.commands.signal(runId, topic, value);
  }

  async received<T extends JsonValue>(topic: string, timeoutMs: number): Promise<T | null> {
    const { DBOS } = this.sdk.now;
    return await this.translated(DBOS.recv<T>(topic, DbosSdk.seconds(timeoutMs)));
  }

  async cancel(runIds: readonly string[]): Promise<void> {
    await this.commands.cancel(runIds);
  }

  async statuses(runIds: readonly string[]): Promise<readonly RunStatus[]> {
    return await this.commands.statuses(runIds);
  }

  get runId(): string {
    return this.sdk.runId;
  }

  private async carryOut(
    body: WorkflowBody<JsonValue, JsonValue>,
    { input, parent }: Envelope,
  ): Promise<JsonValue> {
    try {
      return await body(input);
    } finally {
      if (parent !== undefined) await this.signal(parent, ENDED, this.runId);
    }
  }

  private get memory(): RunMemory {
    const memory = this.memories.getStore();
    if (!memory) throw new Error('This is for the bodies of durable runs only');
    return memory;
  }

  /** Read inside of a step, where it is that of this execution. */
  private get owner(): string {
    const owner = this.sdk.now.currentOwnerXid(this.runId);
    if (owner === undefined) throw new Error('This is for the steps of durable runs only');
    return owner;
  }

  private async asOwner<T>(work: (run: FencedRun) => Promise<T>): Promise<T> {
    const { runId, owner } = this;
    return await this.steps.track(runId, owner, (signal) => work({ runId, owner, signal }));
  }

  /** A child whose row is gone has ended long ago. */
  private async endedAmong(childIds: readonly string[]): Promise<string[]> {
    const found = await this.commands.statuses(childIds);
    const open = found.filter(({ state }) => state === 'waiting' || state === 'running').map(({ id }) => id);
    return childIds.filter((id) => !open.includes(id));
  }

  private async translated<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      throw this.sdk.translate(error);
    }
  }
}

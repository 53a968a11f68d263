import { Injectable } from '@nestjs/common';
import type { JsonValue } from '../../common/index';
import type { QueueLimits } from '../durable-engine';

/** What a run is started with: its input, and what the engine needs to know. */
export interface Envelope {
  readonly input: JsonValue;
  readonly queue: string;
  /** The run that wants to hear of its end. */
  readonly parent?: string;
}

export type EnvelopeBody = (envelope: Envelope) => Promise<JsonValue>;

/** The workflows and queues that the constructors of other modules have made known. */
@Injectable()
export class RunRegistry {
  readonly bodies = new Map<string, EnvelopeBody>();
  readonly queues = new Map<string, QueueLimits>();
  private isClosed = false;

  addBody(name: string, body: EnvelopeBody): void {
    this.refuseLate(name);
    if (this.bodies.has(name)) throw new Error(`There are two workflows "${name}"`);
    this.bodies.set(name, body);
  }

  addQueue(name: string, limits: QueueLimits): void {
    this.refuseLate(name);
    this.queues.set(name, limits);
  }

  /** No start can come to an end that knows no such workflow or queue. */
  check(name: string, queue: string): void {
    if (!this.bodies.has(name)) throw new Error(`There is no workflow "${name}"`);
    if (!this.queues.has(queue)) throw new Error(`There is no queue "${queue}"`);
  }

  /** From here on the engine has taken over what is known. */
  close(): void {
    this.isClosed = true;
  }

  private refuseLate(name: string): void {
    if (this.isClosed) throw new Error(`"${name}" comes too late: the engine has started`);
  }
}

import { Injectable } from '@nestjs/common';
import type { RequestContext, TaskType } from '../../common/index';
import { Follower, Notifications } from '../../database/index';
import type { Strategy } from '../../scoring/index';
import { armOf } from './arm-of';
import type { Experiment, ExperimentArm, Stickiness } from './experiment';
import { ExperimentsRepository } from './experiments.repository';

/** The arm of a running experiment that a request was given. Frozen. */
export interface ExperimentAssignment {
  /** UUID; `exp_…` in the decision's record, as everywhere outside. */
  readonly experimentId: string;
  readonly arm: string;
  /** Either a strategy or a model (a catalog id) takes the place of the strategy that was asked for. */
  readonly strategy?: Strategy;
  readonly model?: string;
  /** The arm's quality target; it goes before the owner's. */
  readonly quality?: number;
  /**
   * The models of all arms. A request that any of them cannot serve takes no part and goes its ordinary way, whichever
   * arm it was given: left out of one arm only, the hard requests would make that arm look better.
   */
  readonly models: readonly string[];
}

/** What is asked of routing. For a named model, and for a request with a quality target of its own, there is no experiment. */
export interface RoutedAsking {
  readonly strategy: Strategy;
  readonly taskType: TaskType;
}

interface Running {
  readonly experiment: Experiment;
  readonly assignments: ReadonlyMap<ExperimentArm, ExperimentAssignment>;
}

/** Where the trigger on the table tells that something has changed. */
const CHANNEL = 'lattice_experiments';
/** Should a notification be lost without the connection. */
const REREAD_MS = 60_000;

/**
 * Gives requests to the arms of running experiments. They are in memory, so that planning asks nobody: as they were last
 * read when PostgreSQL is away.
 */
@Injectable()
export class Experiments extends Follower {
  private running: ReadonlyMap<Strategy, Running> = new Map();

  constructor(
    private readonly experiments: ExperimentsRepository,
    notifications: Notifications,
  ) {
    super(notifications, {
      name: 'reading the running experiments',
      channel: CHANNEL,
      intervalMs: REREAD_MS,
    });
  }

  /** The same caller is given the same arm everywhere and at any time. Undefined: takes no part. */
  assign(ctx: RequestContext, { strategy, taskType }: RoutedAsking): ExperimentAssignment | undefined {
    const running = this.running.get(strategy);
    if (!running) return undefined;
    const { experiment, assignments } = running;
    if (experiment.taskTypes && !experiment.taskTypes.includes(taskType)) return undefined;
    const arm = armOf(experiment, stickyId(ctx, experiment.stickyBy));
    return arm && assignments.get(arm);
  }

  protected async read(): Promise<void> {
    const experiments = await this.experiments.running();
    this.running = new Map(experiments.map((one) => [one.strategy, prepared(one)] as const));
  }
}

function stickyId({ principal, requestId }: RequestContext, stickyBy: Stickiness): string {
  switch (stickyBy) {
    case 'key':
      return principal.keyId ?? principal.userId;
    case 'user':
      return principal.userId;
    case 'request':
      return requestId;
  }
}

function prepared(experiment: Experiment): Running {
  const models = Object.freeze([...new Set(experiment.arms.flatMap(({ model }) => model ?? []))]);
  const assignments = experiment.arms.map((arm) => {
    const { name, strategy, model, quality } = arm;
    const assignment = { experimentId: experiment.id, arm: name, strategy, model, quality, models };
    return [arm, Object.freeze(assignment)] as const;
  });
  return { experiment, assignments: new Map(assignments) };
}

import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppConfig } from '../../config/index';
import { DurableEngine, type RunState } from '../../durable/index';
import { BackgroundLoop } from '../../observability/index';
import { PlanResults } from './plan-results.service';
import { lockProject } from '../project-status';
import { type PlanningRun, PlansRepository } from './plan.repository';

const INTERVAL_MS = 5000;
/** Younger ones are left alone. */
const AGE_SECONDS = 10;
const AT_WORK: readonly RunState[] = ['waiting', 'running'];

/** Ends plannings whose run has ended without a word: it crashed its processes, or somebody took it out of the journal. */
@Injectable()
export class PlanningWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly loop = new BackgroundLoop('look after plannings', INTERVAL_MS, () => this.look());

  constructor(
    private readonly config: AppConfig,
    private readonly database: DataSource,
    private readonly engine: DurableEngine,
    private readonly plans: PlansRepository,
    private readonly results: PlanResults,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.vars.PROJECT_WORKER === 'on') this.loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  private async look(): Promise<void> {
    const plannings = await this.plans.leftSince(AGE_SECONDS);
    if (plannings.length === 0) return;
    const statuses = await this.engine.statuses(plannings.map(({ workflowId }) => workflowId));
    const states = new Map(statuses.map(({ id, state }) => [id, state]));
    for (const planning of plannings) {
      const state = states.get(planning.workflowId);
      if (state === undefined || !AT_WORK.includes(state)) await this.end(planning, state);
    }
  }

  private async end(planning: PlanningRun, state: RunState | undefined): Promise<void> {
    const message =
      state === 'given_up'
        ? 'The planning ended the processes that did it, several times'
        : 'The planning ended before there was a plan';
    const error = { code: 'PLANNING_ENDED', message };
    await this.database.transaction(async (tx) => {
      await lockProject(tx, planning.projectId);
      // Another run may have taken it over since it was looked at.
      if (await this.plans.isCarriedOutBy(tx, planning)) await this.results.fail(tx, planning.planId, error);
    });
  }
}

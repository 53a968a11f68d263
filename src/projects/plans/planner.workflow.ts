import { Injectable } from '@nestjs/common';
import { DurableEngine } from '../../durable/index';
import { PlansRepository } from './plan.repository';
import { type PlanError, PlanResults } from './plan-results.service';
import { ASK, REPAIR } from './plan-rows';
import { type PlanQuestion, Planner, type Verdict } from './planner.service';

/** @property tries runs of the planning so far, this one too; absent: the first */
export type PlanningInput = { readonly planId: string; readonly tries?: number };

export const PLAN_WORKFLOW = 'plan';
export const PLAN_QUEUE = 'plans';

/** Models write far longer than they are looked at here; more of them in one process would only share its CPU. */
const PER_NODE = 8;
/** Of a planning that nobody answers just now. */
const MAX_TRIES = 6;
const BASE_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;

/**
 * A planning, which any process goes on with: ask, ask once more when the answer cannot be used, then write the plan. Where
 * nobody answers just now the run ends, and another one goes on later: waiting holds no slot of the queue.
 */
@Injectable()
export class PlannerWorkflow {
  constructor(
    private readonly engine: DurableEngine,
    private readonly planner: Planner,
    private readonly plans: PlansRepository,
    private readonly results: PlanResults,
  ) {
    engine.queue(PLAN_QUEUE, { perNode: PER_NODE });
    engine.workflow(PLAN_WORKFLOW, (input: PlanningInput) => this.plan(input));
  }

  private async plan({ planId, tries = 1 }: PlanningInput): Promise<string> {
    let verdict = await this.asked(planId, { step: ASK });
    if (verdict.kind === 'unusable') {
      verdict = await this.asked(planId, { step: REPAIR, problems: verdict.problems });
    }
    if (verdict.kind === 'later' && tries < MAX_TRIES) {
      const pause = verdict.afterMs ?? BASE_PAUSE_MS * 2 ** (tries - 1);
      return await this.goOnLater({ planId, tries: tries + 1 }, Math.min(pause, MAX_PAUSE_MS));
    }
    const error = errorOf(verdict);
    return await this.engine.fenced('finish', async (tx) => {
      if (error) await this.results.fail(tx, planId, error);
      else if (verdict.kind === 'usable') await this.results.finish(tx, planId);
      return verdict.kind;
    });
  }

  /** Answers are kept, so that the next run asks for none of them again. */
  private async goOnLater(input: Required<PlanningInput>, delayMs: number): Promise<string> {
    const id = `${input.planId}:${input.tries}`;
    return await this.engine.fenced('later', async (tx) => {
      if (await this.plans.goOnAs(tx, input.planId, id)) {
        await this.engine.enqueue(tx, PLAN_WORKFLOW, input, { id, queue: PLAN_QUEUE, delayMs });
      }
      return 'later';
    });
  }

  private async asked(planId: string, question: PlanQuestion): Promise<Verdict> {
    return await this.engine.step(question.step, (signal) => this.planner.ask(planId, question, signal));
  }
}

function errorOf(verdict: Verdict): PlanError | undefined {
  if (verdict.kind === 'failed' || verdict.kind === 'later') return verdict.error;
  if (verdict.kind !== 'unusable') return undefined;
  return {
    code: 'PLAN_UNUSABLE',
    message: 'The planner model wrote nothing that a plan can be made of, and could not repair it',
    problems: verdict.problems,
  };
}

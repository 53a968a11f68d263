import { Injectable } from '@nestjs/common';
import { DurableEngine } from '../../durable/index';
import { type PlanError, PlanResults } from './plan-results.service';
import { ASK, REPAIR } from './plan-rows';
import { type PlanQuestion, Planner, type Verdict } from './planner.service';

export type PlanningInput = { readonly planId: string };

export const PLAN_WORKFLOW = 'plan';
export const PLAN_QUEUE = 'plans';

/** Models write far longer than they are looked at here; more of them in one process would only share its CPU. */
const PER_NODE = 8;
/** Of one question that nobody answers just now. */
const MAX_TRIES = 6;
const BASE_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;

/** A planning, which any process goes on with: ask, ask once more when the answer cannot be used, then write the plan. */
@Injectable()
export class PlannerWorkflow {
  constructor(
    private readonly engine: DurableEngine,
    private readonly planner: Planner,
    private readonly results: PlanResults,
  ) {
    engine.queue(PLAN_QUEUE, { perNode: PER_NODE });
    engine.workflow(PLAN_WORKFLOW, (input: PlanningInput) => this.plan(input));
  }

  private async plan({ planId }: PlanningInput): Promise<string> {
    let verdict = await this.asked(planId, { step: ASK });
    if (verdict.kind === 'unusable') {
      verdict = await this.asked(planId, { step: REPAIR, problems: verdict.problems });
    }
    const error = errorOf(verdict);
    return await this.engine.fenced('finish', async (tx) => {
      if (error) await this.results.fail(tx, planId, error);
      else if (verdict.kind === 'usable') await this.results.finish(tx, planId);
      return verdict.kind;
    });
  }

  private async asked(planId: string, question: PlanQuestion): Promise<Verdict> {
    for (let tries = 1; ; tries += 1) {
      const name = `${question.step}-${tries}`;
      const verdict = await this.engine.step(name, (signal) => this.planner.ask(planId, question, signal));
      if (verdict.kind !== 'later' || tries >= MAX_TRIES) return verdict;
      const pause = verdict.afterMs ?? BASE_PAUSE_MS * 2 ** (tries - 1);
      await this.engine.sleep(Math.min(pause, MAX_PAUSE_MS));
    }
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

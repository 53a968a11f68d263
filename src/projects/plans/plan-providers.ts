import { RunGraphs } from '../runs/run-graph.repository';
import { ApprovalNotes } from './approval-notes';
import { PlanApproval } from './plan-approval.service';
import { PlanPages } from './plan.pages';
import { PlansRepository } from './plan.repository';
import { PlanResults } from './plan-results.service';
import { PlannerDesk } from './planner-desk';
import { Planner } from './planner.service';
import { PlannerWorkflow } from './planner.workflow';
import { PlanningCancellation } from './planning-cancellation';
import { PlanningController } from './planning.controller';
import { PlanningRows } from './planning-rows';
import { PlanningService } from './planning.service';
import { PlanningWatch } from './planning-watch.service';
import { PlansController } from './plans.controller';
import { PlansService } from './plans.service';

export const PLAN_CONTROLLERS = [PlanningController, PlansController];

export const PLAN_PROVIDERS = [
  ApprovalNotes,
  PlanApproval,
  PlanPages,
  PlansRepository,
  PlanResults,
  Planner,
  PlannerDesk,
  PlannerWorkflow,
  PlanningCancellation,
  PlanningRows,
  PlanningService,
  PlanningWatch,
  PlansService,
  RunGraphs,
];

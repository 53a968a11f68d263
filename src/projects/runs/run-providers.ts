import { TaskChanges } from '../tasks/task-changes.service';
import { TaskPages } from '../tasks/task.pages';
import { TaskRetries } from '../tasks/task-retries.service';
import { TasksController } from '../tasks/tasks.controller';
import { TasksRepository } from '../tasks/tasks.repository';
import { TaskTransitions } from '../tasks/task-transitions';
import { RunControl } from '../run-control';
import { AgentExecution } from './agent-execution.service';
import { AgentExecutionController } from './agent-execution.controller';
import { DispatchRepository } from './dispatch.repository';
import { Dispatcher } from './dispatcher.service';
import { EarlierResults } from './earlier-results.service';
import { ForkRepository } from './fork.repository';
import { ProjectEventsController } from './project-events.controller';
import { Reconciler } from './reconciler.service';
import { RunChanges } from './run-changes.service';
import { RunControlService } from './run-control.service';
import { RunEnds } from './run-ends';
import { RunEvents } from './run-events';
import { RunForks } from './run-forks.service';
import { RunPages } from './run.pages';
import { RunReconciliation } from './run-reconciliation';
import { RunRepository } from './run.repository';
import { RunsController } from './runs.controller';
import { TaskCallers } from './task-callers';
import { TaskParts } from './task-parts.service';
import { TaskRounds } from './task-rounds.service';
import { TaskWorkflow } from './task-workflow.service';
import { WorkRepository } from './work.repository';

export const RUN_CONTROLLERS = [
  AgentExecutionController,
  ProjectEventsController,
  RunsController,
  TasksController,
];

export const RUN_PROVIDERS = [
  AgentExecution,
  Dispatcher,
  DispatchRepository,
  EarlierResults,
  ForkRepository,
  Reconciler,
  RunChanges,
  RunControlService,
  { provide: RunControl, useExisting: RunControlService },
  RunEnds,
  RunEvents,
  RunForks,
  RunPages,
  RunReconciliation,
  RunRepository,
  TaskCallers,
  TaskChanges,
  TaskPages,
  TaskParts,
  TaskRetries,
  TaskRounds,
  TasksRepository,
  TaskTransitions,
  TaskWorkflow,
  WorkRepository,
];

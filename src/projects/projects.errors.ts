import { ConflictError, RateLimitedError, ValidationError } from '../errors/index';
import type { PlanWarning } from './plans/plan';
import { NEXT_STATUSES, type ProjectStatus } from './project';

/** What was asked is not possible now. `details`: the current `status` (or `state`) and what is `allowed`. 409. */
export class InvalidStatusError extends ConflictError {
  override readonly code = 'INVALID_STATUS';

  static ofProject(status: ProjectStatus, wanted: ProjectStatus): InvalidStatusError {
    const allowed = NEXT_STATUSES[status];
    return new InvalidStatusError(
      `The project is ${status} and cannot become ${wanted}: from here it can become ${allowed.join(', ')}`,
      { details: { status, allowed } },
    );
  }

  /** @param act what was asked, such as "change its requirements" */
  static unless(status: string, allowed: readonly string[], act: string): InvalidStatusError {
    return new InvalidStatusError(`It is ${status}: to ${act} it must be ${allowed.join(' or ')}`, {
      details: { status, allowed },
    });
  }
}

/** The plan leaves out dependencies that somebody wrote. `details.warnings` lists them. 409. */
export class WarningsNotConfirmedError extends ConflictError {
  override readonly code = 'WARNINGS_NOT_CONFIRMED';

  constructor(warnings: readonly PlanWarning[]) {
    super(
      `The plan has ${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}: read them, then approve ` +
        'with confirmWarnings, or change the plan',
      { param: 'confirmWarnings', details: { warnings } },
    );
  }
}

/** Tasks wait for each other. `details.path`: their titles, from one to itself. 400. */
export class PlanCycleError extends ValidationError {
  override readonly code = 'PLAN_CYCLE';

  constructor(readonly path: readonly string[]) {
    super(`Tasks depend on each other in a circle: ${path.map((title) => `“${title}”`).join(' → ')}`, {
      param: 'tasks',
      details: { path },
    });
  }
}

/** More than a plan may have in all its tasks. `details.limit`: how many that is. 400. */
export class TooManyDependenciesError extends ValidationError {
  constructor(written: number, limit: number) {
    super(`The tasks of a plan may have ${limit} dependencies together, not ${written}: leave some out`, {
      param: 'tasks',
      details: { limit },
    });
  }
}

/** A task names an agent that there is not. `details.known` lists those that there are. 400. */
export class UnknownAgentError extends ValidationError {
  override readonly code = 'UNKNOWN_AGENT';
}

/** More plannings in a minute than PLANNINGS_PER_MINUTE, or more under way than one user may have. 429. */
export class PlanningLimitError extends RateLimitedError {
  override readonly code = 'PLANNING_LIMIT_EXCEEDED';
}

/** What a caller asks of the usage lines, as the repository takes it: UUIDs, instants, and never another's lines. */
import { fromApiId, type IdPrefix, type RequestContext } from '../common/index';
import { ForbiddenError, ValidationError } from '../errors/index';
import type { UsageFilterQueryDto, UsageLinesQueryDto } from './dto/usage.query.dto';

/** Undefined: no matter. Ids are UUIDs, times ISO with a time zone. */
export interface UsageFilter {
  readonly from?: string;
  readonly to?: string;
  readonly userId?: string;
  readonly keyId?: string;
  readonly projectId?: string;
  readonly runId?: string;
  readonly taskId?: string;
  readonly sessionId?: string;
  readonly requestId?: string;
  readonly provider?: string;
  readonly model?: string;
  readonly taskType?: string;
  readonly agent?: string;
  readonly disputed?: boolean;
}

/** @throws ValidationError, ForbiddenError when another's lines are asked for by name. */
export function usageFilter(
  ctx: RequestContext,
  query: UsageFilterQueryDto & Partial<Pick<UsageLinesQueryDto, 'requestId' | 'disputed'>>,
): UsageFilter {
  const { from, to } = query;
  if (from !== undefined && to !== undefined && to < from)
    throw new ValidationError('to lies before from', { param: 'to' });
  return {
    from,
    to,
    userId: visibleUser(ctx, uuid('usr', query.userId)),
    keyId: uuid('key', query.keyId),
    projectId: uuid('prj', query.projectId),
    runId: uuid('run', query.runId),
    taskId: uuid('tsk', query.taskId),
    sessionId: uuid('ses', query.sessionId),
    requestId: uuid('req', query.requestId),
    provider: query.provider,
    model: query.model,
    taskType: query.taskType,
    agent: query.agent,
    disputed: query.disputed,
  };
}

/** Everyone but administrators sees their own only. */
function visibleUser({ principal }: RequestContext, asked: string | undefined): string | undefined {
  if (principal.role === 'admin') return asked;
  if (asked !== undefined && asked !== principal.userId)
    throw new ForbiddenError('Only an administrator may see the usage of others', { param: 'userId' });
  return principal.userId;
}

function uuid(prefix: IdPrefix, id: string | undefined): string | undefined {
  return id === undefined ? undefined : fromApiId(prefix, id);
}

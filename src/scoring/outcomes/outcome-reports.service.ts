import { Injectable } from '@nestjs/common';
import { fromApiId, isTaskType, parseUsd } from '../../common/index';
import { ValidationError } from '../../errors/index';
import { type AnsweredRequest, AnsweredRequests } from './answered-requests.repository';
import { decidedProfile } from './decided-profile';
import type { ReportedOutcomeDto } from './dto/create-outcomes.request.dto';
import type { NewOutcome } from './outcome';
import { sameAnswer, samePrompt } from './same-outcome';

/** Turns what administrators report into outcomes: those of a request take model, task and profile from the books. */
@Injectable()
export class OutcomeReports {
  constructor(private readonly requests: AnsweredRequests) {}

  /**
   * @param userId who reports, UUID
   * @throws ValidationError naming the report and its field
   */
  async read(userId: string, reports: readonly ReportedOutcomeDto[]): Promise<readonly NewOutcome[]> {
    const decisions = await this.requests.requestsOf(
      reports.flatMap(({ decisionId }) => (decisionId && fromApiId('dec', decisionId)) ?? []),
    );
    const asked = reports.map((report) => requestOf(report, decisions));
    const answered = await this.requests.find(asked.filter((id) => id !== undefined));
    return reports.map((report, index) => {
      const place = `outcomes.${index}`;
      if (!isOfRequest(report)) return ofTask(report, place);
      const found = answered.get(asked[index] ?? '');
      const field = report.requestId === undefined ? 'decisionId' : 'requestId';
      return { ...ofRequest(report, found, { place, field, userId }), source: 'api' };
    });
  }
}

interface ReportPlace {
  readonly place: string;
  readonly field: 'requestId' | 'decisionId';
  readonly userId: string;
}

function isOfRequest({ requestId, decisionId }: ReportedOutcomeDto): boolean {
  return requestId !== undefined || decisionId !== undefined;
}

function requestOf(
  { requestId, decisionId }: ReportedOutcomeDto,
  decisions: ReadonlyMap<string, string>,
): string | undefined {
  if (requestId !== undefined) return fromApiId('req', requestId);
  return decisionId === undefined ? undefined : decisions.get(fromApiId('dec', decisionId) ?? '');
}

/** Nothing of its request is known but what the report says. */
function ofTask(report: ReportedOutcomeDto, place: string): NewOutcome {
  const { model, taskType, promptId, pool } = report;
  if (model === undefined) throw refused(`${place}.model`, 'is required without a requestId or a decisionId');
  if (taskType === undefined)
    throw refused(`${place}.taskType`, 'is required without a requestId or a decisionId');
  const sameAs = promptId === undefined ? undefined : samePrompt(pool, promptId, model);
  return { ...commonOf(report), source: 'api', model, taskType, sameAs };
}

function ofRequest(
  report: ReportedOutcomeDto,
  found: AnsweredRequest | undefined,
  { place, field, userId }: ReportPlace,
): Omit<NewOutcome, 'source'> {
  const given = (['model', 'taskType', 'promptId'] as const).find((name) => report[name] !== undefined);
  if (given) throw refused(`${place}.${given}`, `comes from the request: leave it out beside ${field}`);
  if (!found?.hasAnswer) throw refused(`${place}.${field}`, 'names nothing that a model has answered');
  const { model, taskType, requestId } = found;
  if (!isTaskType(taskType)) throw refused(`${place}.${field}`, 'names no conversation with a chat model');
  const common = commonOf(report);
  return {
    ...common,
    model,
    taskType,
    requestId,
    costPicoUsd: common.costPicoUsd ?? found.costPicoUsd,
    promptTokens: common.promptTokens ?? found.promptTokens,
    completionTokens: common.completionTokens ?? found.completionTokens,
    profile: decidedProfile(found.decision),
    sameAs: sameAnswer('api', requestId, userId),
  };
}

function commonOf({ score, costUsd, promptTokens, completionTokens, ...more }: ReportedOutcomeDto) {
  const { pool, dataset, promptId } = more;
  const costPicoUsd = costUsd === undefined ? undefined : parseUsd(costUsd);
  return { score, costPicoUsd, promptTokens, completionTokens, pool, dataset, promptId };
}

function refused(param: string, reason: string): ValidationError {
  return new ValidationError(`${param} ${reason}`, { param });
}

import { Injectable } from '@nestjs/common';
import { noSuch } from '../../auth/index';
import { CatalogService } from '../../catalog/index';
import { fromApiId, isTaskType, type RequestContext } from '../../common/index';
import { ValidationError } from '../../errors/index';
import { AnsweredRequests } from './answered-requests.repository';
import { BaseModels } from './base-models';
import { decidedProfile } from './decided-profile';
import type { NewOutcome, Outcome } from './outcome';
import { OutcomesRepository } from './outcomes.repository';
import { sameAnswer } from './same-outcome';

/** What the caller thinks of an answer. */
export interface Rating {
  /** 0..1. */
  readonly score: number;
  readonly comment?: string;
}

/** A rating that is stored. Ids are UUIDs. */
export interface Feedback extends Pick<Outcome, 'id' | 'score' | 'comment' | 'taskType' | 'createdAt'> {
  readonly requestId: string;
  /** Catalog id of who answered. */
  readonly model: string;
  /** What is learned is learned of this model, whoever sells it. */
  readonly baseModel: string;
}

const COMPLETION = { name: 'completion of yours' };
/** Prefixes of the ids that answers have in the dialects; each is made of the request's. */
const ANSWER_PREFIXES = ['req', 'msg', 'resp'] as const;
/** What completions are called whose provider gives them no id. */
const COMPLETION_ID = /^chatcmpl-(?:sandbox-)?(?=req_)/;

/** Ratings of answers by whoever got them. Learned behind the requests; a second one of the same answer replaces the first. */
@Injectable()
export class FeedbackService {
  constructor(
    private readonly requests: AnsweredRequests,
    private readonly outcomes: OutcomesRepository,
    private readonly catalog: CatalogService,
  ) {}

  /**
   * @param apiId `req_…`, `dec_…`, or the answer's own id where Lattice made it: `msg_…`, `resp_…`, `chatcmpl-req_…`
   * @throws NotFoundError when there is none, or it is someone else's: administrators rate their own answers only, too
   * @throws ValidationError for what is no chat completion, or has no answer
   */
  async rate(ctx: RequestContext, apiId: string, { score, comment }: Rating): Promise<Feedback> {
    const { userId } = ctx.principal;
    const requestId = await this.requestOf(apiId);
    const answered = requestId && (await this.requests.find([requestId], userId)).get(requestId);
    if (!answered) throw noSuch(COMPLETION);
    const { taskType, decision } = answered;
    if (!isTaskType(taskType)) throw refused('is not a chat completion: only those can be rated');
    if (!answered.hasAnswer) throw refused('has no answer that could be rated: every attempt failed');
    const baseModel = new BaseModels(this.catalog).nameOf(answered.model);
    const outcome: NewOutcome = {
      source: 'feedback',
      model: baseModel,
      taskType,
      score,
      comment,
      requestId,
      costPicoUsd: answered.costPicoUsd,
      promptTokens: answered.promptTokens,
      completionTokens: answered.completionTokens,
      profile: decidedProfile(decision),
      sameAs: sameAnswer('feedback', requestId, userId),
    };
    const stored = await this.outcomes.change(async (executor) => ({
      result: await this.outcomes.storeOne(userId, outcome, executor),
      outcomes: 1,
    }));
    return { ...stored, requestId, model: answered.model, baseModel };
  }

  private async requestOf(apiId: string): Promise<string | undefined> {
    const decisionId = fromApiId('dec', apiId);
    if (decisionId === undefined) return requestNamedBy(apiId);
    return (await this.requests.requestsOf([decisionId])).get(decisionId);
  }
}

function requestNamedBy(apiId: string): string | undefined {
  const id = apiId.replace(COMPLETION_ID, '');
  return ANSWER_PREFIXES.map((prefix) => fromApiId(prefix, id)).find((uuid) => uuid !== undefined);
}

function refused(reason: string): ValidationError {
  return new ValidationError(`This ${reason}`, { param: 'id' });
}

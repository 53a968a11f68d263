import type { DirectUse, RequestContext } from '../../common/index';

/** What a model said when it was asked for the kind of a task. */
export interface ClassifierAnswer {
  readonly text: string;
  /** Catalog id of the model that answered. */
  readonly model: string;
  /** UUID of the request that it was booked as. */
  readonly requestId: string;
}

/** The agent that its questions are booked for; nothing but the question itself decides how they are routed. */
export const ROUTER_AGENT = 'router';

export interface ClassifierQuestion {
  readonly system: string;
  readonly user: string;
  /** As the request says it: false when no provider may be called but by a script. */
  readonly useDirect?: DirectUse;
}

/** Asks a model for a few words. Implemented where requests are metered: this one costs money like any other. */
export interface ClassifierModel {
  /**
   * @param ctx whose request it is about: who pays, and when nobody waits any more
   * @throws whatever a request may end with
   */
  ask(ctx: RequestContext, question: ClassifierQuestion): Promise<ClassifierAnswer>;
}

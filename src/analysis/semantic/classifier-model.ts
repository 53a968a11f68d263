import type { RequestContext } from '../../common/index';

/** What a model said when it was asked for the kind of a task. */
export interface ClassifierAnswer {
  readonly text: string;
  /** Catalog id of the model that answered. */
  readonly model: string;
  /** UUID of the request that it was booked as. */
  readonly requestId: string;
}

/** Asks a model for a few words. Implemented where requests are metered: this one costs money like any other. */
export interface ClassifierModel {
  /**
   * @param ctx whose request it is about: who pays, and when nobody waits any more
   * @throws whatever a request may end with
   */
  ask(
    ctx: RequestContext,
    question: { readonly system: string; readonly user: string },
  ): Promise<ClassifierAnswer>;
}

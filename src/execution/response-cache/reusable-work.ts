import type { JsonObject } from '../../common/index';
import type { AttemptState } from '../attempt-state';
import type { PlannedModel } from '../../selection/index';
import type { AppError } from '../../errors/index';
import type { Flight } from './flight';
import type { KeptAnswer } from './kept-answer';

export interface Carried<Result> {
  readonly result: Result;
  /** As it may be given again; undefined: it may not. */
  readonly answer?: KeptAnswer;
}

/** One kind of work (chat, embeddings), as far as its answer may be given again. */
export interface ReusableWork<Result> {
  readonly state: AttemptState;
  /** Why the same request need not get the same answer; undefined: it should. */
  readonly refusal: string | undefined;
  /** All that makes two requests of one owner the same, besides the model that was chosen. */
  identity(): readonly unknown[];
  /** What the decision row says. */
  decision(): JsonObject;
  /** Does the work as if nothing were ever kept. */
  alone(): Promise<Result>;
  /** Does the work under the signal of the flight, and says what of it may be given again. */
  carryOut(flight: Flight): Promise<Carried<Result>>;
  /** Its own client has left, and the work goes on for others. */
  detach(error: AppError): void;
  /** Gives an answer that came before; it is booked by then, and the state says how it was come by. */
  giveAgain(planned: PlannedModel, answer: KeptAnswer): Promise<Result>;
}

import { Injectable } from '@nestjs/common';
import type { PlannedModel } from '../selection/index';
import type { AttemptState } from './attempt-state';

/** Leave to make one upstream attempt. `leave` is called exactly once, with the failure if there was one. */
export interface Passage {
  leave(failure: unknown): void;
}

/** Asked before every upstream attempt: may this model be called now? */
@Injectable()
export class UpstreamGate {
  /** @throws AppError of class `fallover` when the model may not be called now. */
  async enter(_state: AttemptState, _planned: PlannedModel): Promise<Passage> {
    return await Promise.resolve({ leave: () => undefined });
  }
}

import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { AnalysisService } from '../../analysis/index';
import { noSuch, ownedId } from '../../auth/index';
import { type RequestContext, toApiId } from '../../common/index';
import { AppError } from '../../errors/index';
import { changesSince, type PresentState } from './changes-since';
import { CurrentConditions } from '../current-conditions.service';
import { type ChoiceRecord, choiceRecord, type DecisionRecord } from './decision-record';
import { DECISION, DecisionsRepository, type StoredDecision } from './decisions.repository';
import type { DecisionReplayDto, ReplayedChoiceDto } from '../dto/decision-replay.response.dto';
import { PastConditions } from './past-conditions.service';
import { failedChoice, shownChoice } from './replayed-choice';
import { RouteChooser } from '../route-chooser';
import type { RoutingInputs } from '../routing-inputs';
import { replayable, storedChoice, storedExperiment, storedRequest, storedTarget } from './stored-decision';

type Made = { readonly choice: ChoiceRecord } | { readonly error: AppError };

/** Makes stored decisions again, from their records alone and by the code that makes new ones. */
@Injectable()
export class DecisionReplay {
  constructor(
    private readonly decisions: DecisionsRepository,
    private readonly past: PastConditions,
    private readonly present: CurrentConditions,
    private readonly chooser: RouteChooser,
    private readonly analysis: AnalysisService,
  ) {}

  /**
   * @param id `dec_…`
   * @throws NotFoundError when there is none or it is someone else's; DecisionNotReplayableError (422).
   */
  async replay(ctx: RequestContext, id: string): Promise<DecisionReplayDto> {
    const found = await this.decisions.find(ctx, ownedId(DECISION, id));
    if (!found) throw noSuch(DECISION);
    return await this.replayStored(found);
  }

  private async replayStored(found: StoredDecision): Promise<DecisionReplayDto> {
    const record = replayable(found.record);
    const { inputs, lost } = await this.past.inputs(found, record);
    const now = this.presentInputs(found, record, inputs);
    const changed = changesSince(record, this.state(found, now), lost);
    const replayed = this.make(inputs);
    const decided = storedChoice(record);
    return {
      id: toApiId('dec', found.id),
      requestId: toApiId('req', found.requestId),
      isSame: 'choice' in replayed && isSame(decided, replayed.choice),
      decision: shownChoice(decided),
      replayed: shown(replayed),
      changed,
      today: changed.length > 0 ? shown(this.make(now)) : null,
    };
  }

  /** The same request by the same user, in the same arm, as it would be decided now. */
  private presentInputs(
    { userId, keyAllows }: StoredDecision,
    record: DecisionRecord,
    { profile, basis }: RoutingInputs,
  ): RoutingInputs {
    const inputs = this.present.inputs({ userId, allowedModels: keyAllows }, storedRequest(record), profile);
    const experiment = storedExperiment(record);
    if (!experiment) return inputs;
    const arm = { basis: this.present.basis(userId, basis.strategy), target: storedTarget(record) };
    return { ...inputs, ...arm, experiment };
  }

  private state({ userId }: StoredDecision, now: RoutingInputs): PresentState {
    return {
      inputs: now,
      ownWeights: this.present.ownWeights(userId, now.basis.strategy),
      versions: { ...this.present.versions(now), ...this.analysis.versions },
    };
  }

  private make(inputs: RoutingInputs): Made {
    try {
      return { choice: choiceRecord(this.chooser.choose(inputs)) };
    } catch (error) {
      if (error instanceof AppError) return { error };
      throw error;
    }
  }
}

/** As both stand in JSON. */
function isSame(decided: ChoiceRecord, replayed: ChoiceRecord): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(decided)), JSON.parse(JSON.stringify(replayed)));
}

function shown(made: Made): ReplayedChoiceDto {
  return 'choice' in made ? shownChoice(made.choice) : failedChoice(made.error);
}

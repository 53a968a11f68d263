import { Injectable } from '@nestjs/common';
import { type CachingMode, toApiId } from '../../common/index';
import { AppError } from '../../errors/index';
import { Metrics } from '../../observability/index';
import { ProviderError } from '../../providers/index';
import type { PlannedModel } from '../../selection/index';
import type { AttemptState } from '../attempt-state';
import type { ReuseNote } from '../completion';
import { abortError } from '../execution.errors';
import { PipelineHost } from '../pipeline-host';
import { canonicalDigest } from './canonical-digest';
import { Flight, type FlightEnd } from './flight';
import { FreeAnswers } from './free-answers.service';
import type { KeptAnswer } from './kept-answer';
import { type AnswerKey, ResponseStore } from './response-store.service';
import type { ReusableWork } from './reusable-work';

/**
 * Answers a request with what an identical one of the same owner got before, or is getting right now. Whoever gets such
 * an answer was admitted like anybody, and has a line of cost 0. Asked only where the caller wants it.
 */
@Injectable()
export class ResponseReuse {
  private readonly flights = new Map<string, Flight>();

  constructor(
    private readonly store: ResponseStore,
    private readonly free: FreeAnswers,
    private readonly host: PipelineHost,
    private readonly metrics: Metrics,
  ) {}

  /** @throws AppError */
  async run<Result>(work: ReusableWork<Result>, mode: CachingMode): Promise<Result> {
    const { state } = work;
    const refusal = this.store.isOn ? work.refusal : 'it is switched off in this installation';
    if (refusal !== undefined) {
      this.note(state, { status: 'bypass' });
      state.warn(`the response cache was not used: ${refusal}`);
      return await work.alone();
    }
    const key = keyOf(work);
    if (mode === 'refresh') return await this.lead(work, key);
    const answer = this.store.get(key);
    const planned = answer && plannedFor(state, answer);
    if (planned) return await this.hit(work, planned, answer);
    const flight = this.flights.get(flightName(key));
    return flight?.isOpen ? await this.follow(work, key, flight) : await this.lead(work, key);
  }

  private async hit<Result>(
    work: ReusableWork<Result>,
    planned: PlannedModel,
    answer: KeptAnswer,
  ): Promise<Result> {
    const { state } = work;
    this.host.open.enterWork();
    try {
      await this.free.admit(state, planned, work.decision());
      return await this.give(work, planned, answer, 'hit');
    } finally {
      this.host.open.leaveWork();
    }
  }

  /** Waits for the one that is under way; when that brings nothing, this request is one like any other. */
  private async follow<Result>(work: ReusableWork<Result>, key: AnswerKey, flight: Flight): Promise<Result> {
    const { state } = work;
    this.host.open.enterWork();
    try {
      const { answer, fault } = await this.wait(work, flight);
      const planned = answer && plannedFor(state, answer);
      if (planned) return await this.give(work, planned, answer, 'shared');
      if (fault) {
        await this.free.release(state);
        throw fault;
      }
    } finally {
      this.host.open.leaveWork();
    }
    return await this.lead(work, key);
  }

  /** It has a seat from the first moment, so that the leader's hanging up does not end what it waits for. */
  private async wait(work: ReusableWork<unknown>, flight: Flight): Promise<FlightEnd> {
    const { state } = work;
    const [first] = state.plan.candidates;
    if (!first) throw new Error('A plan without candidates');
    flight.join();
    try {
      await this.free.admit(state, first, work.decision());
      return await flight.outcome(state.ctx.signal);
    } catch (failure) {
      await this.free.release(state);
      throw failure;
    } finally {
      flight.leave();
    }
  }

  private async give<Result>(
    work: ReusableWork<Result>,
    planned: PlannedModel,
    answer: KeptAnswer,
    status: 'hit' | 'shared',
  ): Promise<Result> {
    const { state } = work;
    const reuse = status === 'hit' ? { status, ageMs: Date.now() - answer.keptAtMs } : { status };
    this.note(state, reuse);
    await this.free.book(state, planned, answer);
    state.warn(...answer.warnings);
    this.tell(state, planned, reuse);
    return await work.giveAgain(planned, answer);
  }

  /** Does the work, lets others wait for it, and keeps what came. */
  private async lead<Result>(work: ReusableWork<Result>, key: AnswerKey): Promise<Result> {
    const name = flightName(key);
    const flight = new Flight();
    // One that works anew beside another keeps to itself.
    if (!this.flights.get(name)?.isOpen) this.flights.set(name, flight);
    this.note(work.state, { status: 'miss' });
    const working = this.fly(work, key, flight).finally(() => {
      if (this.flights.get(name) === flight) this.flights.delete(name);
    });
    return await untilLeft(work, flight, working);
  }

  private async fly<Result>(work: ReusableWork<Result>, key: AnswerKey, flight: Flight): Promise<Result> {
    const { generation } = this.store;
    try {
      const { result, answer } = await work.carryOut(flight);
      // Another model stood in for the chosen one: good enough for those who waited, not for who comes later.
      const isChosen = answer?.modelId === work.state.plan.candidates[0]?.model.id;
      if (answer && isChosen && generation === this.store.generation) this.store.set(key, answer);
      flight.end({ answer });
      return result;
    } catch (failure) {
      flight.end(isRequestFault(failure) ? { fault: failure } : {});
      throw failure;
    }
  }

  private note(state: AttemptState, reuse: ReuseNote): void {
    state.reuse = reuse;
    this.metrics.responseCache.inc({ result: reuse.status });
  }

  private tell({ ctx }: AttemptState, { model }: PlannedModel, reuse: ReuseNote): void {
    this.host.logger.event('completion', {
      requestId: toApiId('req', ctx.requestId),
      traceId: ctx.traceId,
      model: model.id,
      attempts: 0,
      costPicoUsd: '0',
      cache: reuse.status,
    });
  }
}

/** The owner is the partition; allowances of keys count by the model that was chosen among theirs. */
function keyOf(work: ReusableWork<unknown>): AnswerKey {
  const { state } = work;
  const ownerId = state.ctx.principal.userId;
  const chosen = state.plan.candidates[0]?.model.id;
  return { ownerId, digest: canonicalDigest(ownerId, chosen, state.useDirect ?? true, ...work.identity()) };
}

function flightName({ ownerId, digest }: AnswerKey): string {
  return `${ownerId} ${digest}`;
}

/** Whoever may not use the model that answered, or would not be sent to it, does not get its answer. */
function plannedFor({ plan }: AttemptState, { modelId }: KeptAnswer): PlannedModel | undefined {
  return plan.candidates.find(({ model }) => model.id === modelId);
}

/** Upstream said that the request is wrong: it would say so again. */
function isRequestFault(failure: unknown): failure is AppError {
  return (
    failure instanceof ProviderError &&
    (failure.fault === 'invalid_request' || failure.fault === 'context_length')
  );
}

/** The result; or, when the caller leaves and others wait, the caller's own end at once. */
async function untilLeft<Result>(
  work: ReusableWork<Result>,
  flight: Flight,
  working: Promise<Result>,
): Promise<Result> {
  const { signal } = work.state.ctx;
  const left = Promise.withResolvers<never>();
  const onAbort = (): void => {
    if (!flight.leaderLeaves(signal.reason)) return;
    const error = abortError(signal);
    work.detach(error);
    left.reject(error);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([working, left.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

import { Injectable } from '@nestjs/common';
import type { SettledAttempt } from '../ledger/index';
import {
  AttemptStatistics,
  Capacities,
  type CapacitySlot,
  Circuits,
  type CircuitTarget,
  type CredentialRef,
  CredentialRejectedError,
  failureKind,
  type FailureKind,
  isCredentialRefusal,
  ProviderRegistry,
} from '../providers/index';
import type { PlannedModel } from '../selection/index';
import { expectedTokens } from './attempt-bounds';
import type { AttemptState } from './attempt-state';

/** Leave to make one upstream attempt. `leave` is called exactly once, with the failure if there was one. */
export interface Passage {
  leave(failure: unknown): void;
}

/**
 * Asked before every upstream attempt: may this model be called now? And told of its end, so that breakers and
 * statistics know. It answers at once when there is nothing to wait for.
 */
@Injectable()
export class UpstreamGate {
  constructor(
    private readonly circuits: Circuits,
    private readonly statistics: AttemptStatistics,
    private readonly providers: ProviderRegistry,
    private readonly capacities: Capacities,
  ) {}

  /**
   * Waits only for a model whose capacity is limited, and not for calls with an owner's own credential: those fall
   * under the owner's agreement with the provider. Scripts have no part in that.
   * @throws AppError of class `fallover` when the model may not be called now.
   */
  enter(state: AttemptState, planned: PlannedModel): Passage | Promise<Passage> {
    const isFree = !this.capacities.limits(planned.model) || this.ownOf(state, planned) !== undefined;
    return isFree ? this.pass(state, planned) : this.queue(state, planned);
  }

  /**
   * The failure of an attempt, or of entering for it, as the loop shall judge it: a refused credential of the caller's
   * own is final, so that nobody else's money takes its place unasked.
   */
  failureOf(state: AttemptState, planned: PlannedModel, failure: unknown): unknown {
    if (!isCredentialRefusal(failure)) return failure;
    const own = this.ownOf(state, planned);
    return own ? new CredentialRejectedError(planned.model.provider, own.id, failure) : failure;
  }

  /**
   * Nobody queues for a model that is left alone. The breaker's own `enter`, which takes the place of a probe, comes
   * after the wait: it may have opened meanwhile.
   */
  private async queue(state: AttemptState, planned: PlannedModel): Promise<Passage> {
    const { model } = planned;
    const tokens = expectedTokens(planned, state.upstreamTokens);
    this.circuits.require(this.targetOf(state, planned), () => this.candidatesOf(state));
    const slot = await this.capacities.enter(state.ctx, { model, tokens, hasFallback: state.hasFallback });
    try {
      return this.pass(state, planned, slot);
    } catch (refusal) {
      slot.giveBack();
      throw refusal;
    }
  }

  private pass(state: AttemptState, planned: PlannedModel, slot?: CapacitySlot): Passage {
    const target = this.targetOf(state, planned);
    const circuit = this.circuits.enter(
      target,
      () => this.candidatesOf(state),
      () => state.hasSent,
    );
    const before = state.pending.at(-1);
    return {
      leave: (failure) => {
        circuit.leave(failure);
        const line = lineSince(state, before);
        if (line) slot?.end(tokensOf(line));
        else slot?.giveBack();
        // What owners of credentials do to their own accounts is no news about the provider.
        if (line && target.credentialId === undefined) this.statistics.record(line, kindOf(line, failure));
      },
    };
  }

  private ownOf({ ctx, useDirect }: AttemptState, { model }: PlannedModel): CredentialRef | undefined {
    if (useDirect === false) return undefined;
    return this.providers.ownCredentialRef(model.provider, ctx.principal.userId);
  }

  private candidatesOf(state: AttemptState): readonly CircuitTarget[] {
    return state.remaining.map((other) => this.targetOf(state, other));
  }

  private targetOf({ ctx, useDirect }: AttemptState, { model }: PlannedModel): CircuitTarget {
    const credentialId = this.providers.laneOf(model.provider, { ownerId: ctx.principal.userId, useDirect });
    return { provider: model.provider, model: model.id, credentialId };
  }
}

/** The failure that the caller sees says why we aborted; the line says that we did. */
function kindOf({ outcome }: SettledAttempt, failure: unknown): FailureKind | undefined {
  if (outcome === 'cancelled') return 'aborted';
  return failure === undefined ? undefined : failureKind(failure);
}

/**
 * Undefined where nobody knows, and then the estimate stands: the bound that is booked is several times what any
 * provider counts, and would shut the model for a minute.
 */
function tokensOf({ usage, usageSource }: SettledAttempt): number | undefined {
  const { promptTokens, completionTokens } = usage;
  if (usageSource === 'upper_bound') return undefined;
  if (promptTokens === undefined || completionTokens === undefined) return undefined;
  return promptTokens + completionTokens;
}

/** Without a line nothing was sent. */
function lineSince(state: AttemptState, before: SettledAttempt | undefined): SettledAttempt | undefined {
  const line = state.pending.at(-1);
  return line === before ? undefined : line;
}

import type { ProviderId } from '../../common/index';
import { type AppError, ServiceUnavailableError } from '../../errors/index';
import { type CircuitReason, verdictOf } from './failure-verdict';

export interface OpenCircuit {
  readonly provider: ProviderId;
  /** Undefined: the whole provider, for one credential. */
  readonly model?: string;
  readonly reason: CircuitReason;
  readonly retryAfterMs: number;
}

/** The model failed lately and is left alone for a while: nothing was sent. The next candidate is tried at once. */
export class CircuitOpenError extends ServiceUnavailableError {
  override readonly code = 'CIRCUIT_OPEN';
  override readonly failure = 'fallover';
  readonly reason: CircuitReason;

  constructor({ provider, model, reason, retryAfterMs }: OpenCircuit) {
    const what =
      reason === 'credential_rejected'
        ? `The provider ${provider} refused the credential`
        : `${model ?? provider} failed lately (${reason})`;
    super(`${what}; it is left alone for ${Math.ceil(retryAfterMs / 1000)} s more`, {
      retryAfterMs,
      details: { provider, model, reason },
    });
    this.reason = reason;
  }
}

/** Was the credential refused, by the provider or by the breaker that remembers it, as against one model for it (403)? */
export function isCredentialRefusal(failure: unknown): failure is AppError {
  if (failure instanceof CircuitOpenError) return failure.reason === 'credential_rejected';
  return verdictOf(failure).about === 'credential';
}

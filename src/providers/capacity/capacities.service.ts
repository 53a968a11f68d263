import { Injectable } from '@nestjs/common';
import { type Capacity, type CatalogModel, CatalogService } from '../../catalog/index';
import { type ProviderId, type RequestContext, toApiId } from '../../common/index';
import { DO_NOT_RETRY } from '../../errors/index';
import { AppLogger, Metrics } from '../../observability/index';
import type { CapacityDto } from '../dto/provider-health.response.dto';
import { CapacityUnknownError, UpstreamBusyError } from './capacity.errors';
import { claimsOf, type ExpectedTokens, patienceMs } from './capacity-claim';
import { CapacityQueue } from './capacity-queue';
import { type CapacityFigures, type CapacityRefusal, CapacityStore } from './capacity-store';
import type { CapacitySlot, GivenUp } from './waiting-call';

const LONG_WAIT_MS = 1000;

export interface CapacityCall {
  readonly model: CatalogModel;
  readonly tokens: ExpectedTokens;
  /** Another candidate could be called instead. */
  readonly hasFallback: boolean;
}

/** Room at providers that take only so much of this installation; the queue of those that wait for it. */
@Injectable()
export class Capacities {
  constructor(
    private readonly catalog: CatalogService,
    private readonly queue: CapacityQueue,
    private readonly store: CapacityStore,
    private readonly metrics: Metrics,
    private readonly logger: AppLogger,
  ) {}

  /** Is anything to be asked before this model is called? */
  limits(model: CatalogModel): boolean {
    return model.capacity !== undefined || this.catalog.providerCapacity(model.provider) !== undefined;
  }

  /**
   * Waits for room for one upstream call. Whoever gets it ends it or gives it back, exactly once.
   * @throws UpstreamBusyError, CapacityUnknownError (both fall over); the reason of the caller's signal
   */
  async enter(ctx: RequestContext, call: CapacityCall): Promise<CapacitySlot> {
    const { model, tokens, hasFallback } = call;
    const { provider, id } = model;
    const ofProvider = this.catalog.providerCapacity(provider);
    const claims = claimsOf(model, ofProvider, tokens);
    if ('tooLargeFor' in claims) throw this.tooLarge(model, claims.tooLargeFor, tokens);
    const timeLeftMs = ctx.deadlineAt === undefined ? Infinity : ctx.deadlineAt - Date.now();
    const patience = patienceMs([ofProvider, model.capacity], { hasFallback, timeLeftMs });
    const startedAt = performance.now();
    this.metrics.capacityQueue.inc({ provider, model: id });
    const outcome = await this.queue.ask(claims, { patienceMs: patience, signal: ctx.signal });
    this.metrics.capacityQueue.dec({ provider, model: id });
    const waitedMs = Math.round(performance.now() - startedAt);
    const isGranted = 'slot' in outcome;
    const { refusal } = isGranted ? outcome.slot : outcome.givenUp;
    if (refusal) this.metrics.capacityWait.observe({ provider, model: id }, waitedMs / 1000);
    if (waitedMs > LONG_WAIT_MS) this.tell(ctx, model, { waitedMs, isGranted, refusal });
    if (isGranted) return outcome.slot;
    throw this.refusal(model, outcome.givenUp, waitedMs);
  }

  /** Every capacity of a provider and its models with what is in use; without the database, what is in use is null. */
  async usage(provider: ProviderId): Promise<readonly CapacityDto[]> {
    const limited: { readonly model?: string; readonly capacity: Capacity }[] = this.catalog
      .provider(provider)
      .flatMap(({ id, capacity }) => (capacity ? [{ model: id, capacity }] : []));
    const ofProvider = this.catalog.providerCapacity(provider);
    if (ofProvider) limited.unshift({ capacity: ofProvider });
    if (limited.length === 0) return [];
    const scopes = limited.map(({ model }) => model ?? provider);
    const figures = await this.store.usage(scopes).catch(() => undefined);
    return limited.map(({ model, capacity }) => {
      const scope = model ?? provider;
      return capacityDto(capacity, {
        model: model ?? null,
        waiting: this.queue.waitingFor(scope),
        figures: figures?.[scope],
      });
    });
  }

  private refusal(model: CatalogModel, { reason, refusal, cause }: GivenUp, waitedMs: number): unknown {
    if (reason === 'aborted') return cause;
    const { provider, id } = model;
    this.metrics.capacityRefusals.inc({ provider, model: id, limit: refusal?.kind ?? 'unknown' });
    if (reason === 'unknown' || !refusal) return new CapacityUnknownError(id, cause);
    const why = reason === 'queue_full' ? 'as many calls wait as may' : `no room within ${waitedMs} ms`;
    return new UpstreamBusyError(`${refusal.scope} takes no more now (${refusal.kind}): ${why}`, {
      provider,
      model: id,
      scope: refusal.scope,
      limit: refusal.kind,
      retryAfterMs: refusal.waitMs ?? undefined,
    });
  }

  private tooLarge(model: CatalogModel, scope: string, { prompt }: ExpectedTokens): UpstreamBusyError {
    const limit = 'tokens_per_minute';
    this.metrics.capacityRefusals.inc({ provider: model.provider, model: model.id, limit });
    return new UpstreamBusyError(
      `The prompt of about ${prompt} tokens is more than ${scope} takes in a minute`,
      { provider: model.provider, model: model.id, scope, limit },
      { retryAfterMs: undefined, headers: DO_NOT_RETRY },
    );
  }

  private tell(
    ctx: RequestContext,
    { provider, id }: CatalogModel,
    wait: { readonly waitedMs: number; readonly isGranted: boolean; readonly refusal?: CapacityRefusal },
  ): void {
    this.logger.event('capacity_wait', {
      requestId: toApiId('req', ctx.requestId),
      traceId: ctx.traceId,
      provider,
      model: id,
      scope: wait.refusal?.scope,
      limit: wait.refusal?.kind,
      waitedMs: wait.waitedMs,
      isGranted: wait.isGranted,
    });
  }
}

function capacityDto(
  { requestsPerMinute, tokensPerMinute, concurrency }: Capacity,
  now: { readonly model: string | null; readonly waiting: number; readonly figures?: CapacityFigures },
): CapacityDto {
  const use = (limit: number | undefined, used: number | undefined) =>
    limit === undefined ? null : { limit, used: used ?? null };
  const { model, waiting, figures } = now;
  return {
    model,
    requestsPerMinute: use(requestsPerMinute, figures?.requests),
    tokensPerMinute: use(tokensPerMinute, figures?.tokens),
    concurrency: use(concurrency, figures?.running),
    waiting,
  };
}

import { Injectable } from '@nestjs/common';
import { CatalogService } from '../../catalog/index';
import type { RequestContext, SqlExecutor } from '../../common/index';
import { AuditSink, ValidationError } from '../../errors/index';
import { BaseModels } from './base-models';
import { Capabilities } from './capabilities.service';
import type { NewOutcome, OutcomeFilter, Stored } from './outcome';
import type { CsvOutcome, OutcomeFile } from './outcome-csv';
import { OutcomesRepository } from './outcomes.repository';
import { samePrompt } from './same-outcome';
import { CapabilityLearning } from './versions/capability-learning.service';
import type { LearningCause } from './versions/capability-version';

/** What became of outcomes, and of what was learned from them. */
export interface Learned<T> {
  readonly result: T;
  /** The newest version; undefined when the outcomes are stored and will be learned later. */
  readonly version?: string;
  /** The version that this process uses. */
  readonly inForce: string;
  /** Names of models that the catalog does not know. */
  readonly unknownModels: readonly string[];
}

const BATCH = 1000;
/** Looking up an unknown name costs a comparison with the whole catalog. */
const MAX_MODELS = 1000;

/** Takes and removes outcomes for administrators. Each call is stored whole or not at all, recorded, and learned at once. */
@Injectable()
export class OutcomesService {
  constructor(
    private readonly outcomes: OutcomesRepository,
    private readonly learning: CapabilityLearning,
    private readonly capabilities: Capabilities,
    private readonly catalog: CatalogService,
    private readonly audit: AuditSink,
  ) {}

  async create(ctx: RequestContext, given: readonly NewOutcome[]): Promise<Learned<Stored>> {
    const models = new BaseModels(this.catalog);
    const named = given.map((outcome) => ({ ...outcome, model: models.nameOf(outcome.model) }));
    const stored = await this.outcomes.exclusively(async (executor) => {
      const result = await this.outcomes.store(ctx.principal.userId, named, executor);
      await this.record(ctx, 'create', { after: { ...result } }, executor);
      return { result, outcomes: given.length };
    });
    return await this.learned(ctx, stored, { reason: 'outcomes', models });
  }

  /**
   * @param pool of the lines that name none
   * @throws ValidationError naming line and column of the first that is wrong; then nothing is stored
   */
  async import(ctx: RequestContext, { outcomes }: OutcomeFile, pool?: string): Promise<Learned<Stored>> {
    const models = new BaseModels(this.catalog);
    const stored = await this.outcomes.exclusively(async (executor) => {
      const total = { added: 0, replaced: 0 };
      for (const batch of batchesOf(outcomes)) {
        const named = batch.map((one) => fromFile({ ...one, pool: one.pool ?? pool }, models));
        const { added, replaced } = await this.outcomes.store(ctx.principal.userId, named, executor);
        total.added += added;
        total.replaced += replaced;
      }
      await this.record(ctx, 'import', { after: { ...total, pool: pool ?? null } }, executor);
      return { result: total, outcomes: total.added + total.replaced };
    });
    return await this.learned(ctx, stored, { reason: 'import', models });
  }

  /** @returns how many; they do not count any more. */
  async remove(ctx: RequestContext, filter: OutcomeFilter): Promise<Learned<number>> {
    const removed = await this.outcomes.exclusively(async (executor) => {
      const result = await this.outcomes.remove(filter, executor);
      await this.record(ctx, 'remove', { before: { ...filter, outcomes: result } }, executor);
      return { result, outcomes: result };
    });
    return await this.learned(ctx, removed, { reason: 'removal' });
  }

  /** What a model is called in outcomes: those that came before the catalog knew it have the name that they came with. */
  namesOf(model: string): readonly string[] {
    return [...new Set([new BaseModels(this.catalog).nameOf(model), model])];
  }

  private async learned<T>(
    { principal }: RequestContext,
    result: T,
    { reason, models }: Pick<LearningCause, 'reason'> & { readonly models?: BaseModels },
  ): Promise<Learned<T>> {
    const version = await this.learning.learn({ reason, userId: principal.userId });
    const inForce = this.capabilities.current.version;
    return { result, version, inForce, unknownModels: models?.unknown ?? [] };
  }

  private async record(
    ctx: RequestContext,
    verb: string,
    change: { readonly before?: Record<string, unknown>; readonly after?: Record<string, unknown> },
    executor: SqlExecutor,
  ): Promise<void> {
    await this.audit.record(ctx, { action: `outcome.${verb}`, resourceId: null, ...change }, executor);
  }
}

function fromFile(outcome: CsvOutcome, models: BaseModels): NewOutcome {
  const { pool, promptId, model } = outcome;
  const name = models.nameOf(model);
  if (models.unknown.length > MAX_MODELS) {
    throw new ValidationError(
      `The file names more than ${MAX_MODELS} models that the catalog does not know. Nothing was stored.`,
      { param: 'model' },
    );
  }
  const sameAs = promptId === undefined ? undefined : samePrompt(pool, promptId, model);
  return { ...outcome, source: 'csv', model: name, sameAs };
}

function* batchesOf<T>(items: Iterable<T>): Generator<readonly T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

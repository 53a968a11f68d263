import { Injectable } from '@nestjs/common';
import { noSuch, ownedId } from '../../auth/index';
import { newId, type RequestContext, type SqlExecutor, toApiId } from '../../common/index';
import { AuditSink, ConflictError, ValidationError } from '../../errors/index';
import { ArmModels } from './arm-models';
import { EXPERIMENT, type Experiment, type ExperimentSettings } from './experiment';
import { Experiments } from './experiments.service';
import { ExperimentsRepository } from './experiments.repository';

/** What of a running experiment may change without spoiling what was measured. */
const CHANGEABLE_WHILE_RUNNING: readonly string[] = ['name', 'share'];

/**
 * What administrators do with experiments. Every act is in the audit log, and holds in this process when it is answered,
 * in the others as soon as they have heard of it.
 */
@Injectable()
export class ExperimentChanges {
  constructor(
    private readonly repository: ExperimentsRepository,
    private readonly experiments: Experiments,
    private readonly models: ArmModels,
    private readonly audit: AuditSink,
  ) {}

  /** A draft; nothing is split until it is started. @throws ValidationError for a model that cannot be called */
  async create(ctx: RequestContext, wanted: ExperimentSettings): Promise<Experiment> {
    const settings = { ...wanted, arms: this.models.checked(wanted.arms) };
    return await this.repository.transaction(async (executor) => {
      const made = await this.repository.add(newId(), settings, executor);
      await this.record(ctx, { action: 'experiment.create', after: made }, executor);
      return made;
    });
  }

  /** @throws NotFoundError, ValidationError, ConflictError when that may not change any more */
  async update(ctx: RequestContext, apiId: string, change: Partial<ExperimentSettings>): Promise<Experiment> {
    const names = Object.keys(change);
    if (names.length === 0) throw new ValidationError('Name what to change', { param: 'name' });
    const wanted = change.arms ? { ...change, arms: this.models.checked(change.arms) } : change;
    const changed = await this.changing(ctx, apiId, async (before, executor) => {
      refuseChange(before, names);
      const after = await this.repository.change(before.id, { ...before, ...wanted }, executor);
      await this.record(ctx, { action: 'experiment.update', before, after }, executor);
      return after;
    });
    await this.experiments.now();
    return changed;
  }

  /** @throws NotFoundError, ConflictError when it is no draft, another one runs, or a model cannot be called any more */
  async start(ctx: RequestContext, apiId: string): Promise<Experiment> {
    const started = await this.changing(ctx, apiId, async (before, executor) => {
      if (before.status === 'running') throw new ConflictError('The experiment is running already');
      if (before.status === 'stopped') {
        throw new ConflictError(
          'The experiment was stopped, and its results stay as they are: make a new one',
        );
      }
      await this.refuseSecond(before, executor);
      this.models.refuseUncallable(before.arms);
      const after = await this.repository.start(before.id, executor);
      await this.record(ctx, { action: 'experiment.start', before, after }, executor);
      return after;
    });
    await this.experiments.now();
    return started;
  }

  /** Its results stay. @throws NotFoundError, ConflictError when it is not running */
  async stop(ctx: RequestContext, apiId: string): Promise<Experiment> {
    const stopped = await this.changing(ctx, apiId, async (before, executor) => {
      if (before.status !== 'running') throw new ConflictError('The experiment is not running');
      const after = await this.repository.stop(before.id, executor);
      await this.record(ctx, { action: 'experiment.stop', before, after }, executor);
      return after;
    });
    await this.experiments.now();
    return stopped;
  }

  /** @throws NotFoundError, ConflictError when it was ever started */
  async remove(ctx: RequestContext, apiId: string): Promise<void> {
    await this.changing(ctx, apiId, async (before, executor) => {
      if (before.status !== 'draft') {
        throw new ConflictError('Only a draft can be deleted: the results of what was started stay');
      }
      await this.repository.remove(before.id, executor);
      await this.record(ctx, { action: 'experiment.delete', before }, executor);
    });
  }

  /** One change of experiments at a time: what was read still holds when it is written. */
  private async changing<T>(
    ctx: RequestContext,
    apiId: string,
    work: (before: Experiment, executor: SqlExecutor) => Promise<T>,
  ): Promise<T> {
    const id = ownedId(EXPERIMENT, apiId);
    return await this.repository.transaction(async (executor) => {
      await this.repository.lock(executor);
      const before = await this.repository.find(ctx, id, executor);
      if (!before) throw noSuch(EXPERIMENT);
      return await work(before, executor);
    });
  }

  private async refuseSecond({ strategy }: Experiment, executor: SqlExecutor): Promise<void> {
    const other = (await this.repository.running(executor)).find((one) => one.strategy === strategy);
    if (!other) return;
    const experimentId = toApiId('exp', other.id);
    throw new ConflictError(
      `The requests for ${strategy} are split by ${experimentId} (${other.name}) already: stop it first`,
      { details: { experimentId } },
    );
  }

  private async record(
    ctx: RequestContext,
    act: { action: string; before?: Experiment; after?: Experiment },
    executor: SqlExecutor,
  ): Promise<void> {
    const { action, before, after } = act;
    const of = after ?? before;
    await this.audit.record(
      ctx,
      {
        action,
        resourceId: of ? toApiId('exp', of.id) : null,
        before: before && audited(before),
        after: after && audited(after),
      },
      executor,
    );
  }
}

function refuseChange({ status }: Experiment, names: readonly string[]): void {
  if (status === 'draft') return;
  const allowed = status === 'running' ? CHANGEABLE_WHILE_RUNNING : ['name'];
  const param = names.find((name) => !allowed.includes(name));
  if (param === undefined) return;
  throw new ConflictError(
    `The experiment is ${status}: only ${allowed.join(' and ')} can change, or the results would mix what is not alike`,
    { param },
  );
}

function audited(experiment: Experiment): Record<string, unknown> {
  const { name, status, strategy, arms, taskTypes, stickyBy, share } = experiment;
  return { name, status, strategy, arms, taskTypes: taskTypes ?? null, stickyBy, share };
}

/** Experiments as REST shows them. */
import { Injectable } from '@nestjs/common';
import { Cursors, noSuch, ownedId } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import type { ExperimentResultsDto } from './dto/experiment-results.response.dto';
import { ExperimentDto, type ExperimentPageDto } from './dto/experiment.response.dto';
import type { ExperimentResultsQueryDto, ListExperimentsQueryDto } from './dto/list-experiments.query.dto';
import { EXPERIMENT, type Experiment } from './experiment';
import { resultsOf } from './experiment-results';
import { ExperimentResultsRepository, type ResultsPeriod } from './experiment-results.repository';
import { ExperimentsRepository } from './experiments.repository';

/** Clocks differ, and a process hears a moment late that an experiment has started or stopped. */
const MARGIN_MS = 60_000;

@Injectable()
export class ExperimentPages {
  constructor(
    private readonly experiments: ExperimentsRepository,
    private readonly results: ExperimentResultsRepository,
    private readonly cursors: Cursors,
  ) {}

  async list(
    ctx: RequestContext,
    { status, limit, cursor }: ListExperimentsQueryDto,
  ): Promise<ExperimentPageDto> {
    const list = `experiments/${status ?? ''}`;
    const beforeId = this.cursors.decode<string>(ctx, list, cursor);
    const rows = await this.experiments.list(ctx, { status, limit: limit + 1, beforeId });
    const page = this.cursors.page(ctx, list, { rows, limit, positionOf: ({ id }) => id });
    return { data: page.items.map((one) => ExperimentDto.from(one)), nextCursor: page.nextCursor };
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<ExperimentDto> {
    return ExperimentDto.from(await this.find(ctx, id));
  }

  /** @throws NotFoundError; ServiceUnavailableError when it takes too long */
  async resultsOf(
    ctx: RequestContext,
    id: string,
    query: ExperimentResultsQueryDto,
  ): Promise<ExperimentResultsDto> {
    const experiment = await this.find(ctx, id);
    const period = periodOf(experiment, query);
    const rows = experiment.startedAt ? await this.results.arms(ctx, experiment, period) : [];
    return resultsOf(experiment, rows);
  }

  private async find(ctx: RequestContext, id: string): Promise<Experiment> {
    const found = await this.experiments.find(ctx, ownedId(EXPERIMENT, id));
    if (!found) throw noSuch(EXPERIMENT);
    return found;
  }
}

function periodOf(
  { createdAt, startedAt = createdAt, stoppedAt = new Date() }: Experiment,
  { from, to }: ExperimentResultsQueryDto,
): ResultsPeriod {
  const began = startedAt.getTime() - MARGIN_MS;
  const ended = stoppedAt.getTime() + MARGIN_MS;
  return {
    from: new Date(Math.max(began, from === undefined ? began : Date.parse(from))),
    to: new Date(Math.max(began, Math.min(ended, to === undefined ? ended : Date.parse(to)))),
  };
}

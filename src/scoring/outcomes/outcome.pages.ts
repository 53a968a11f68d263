/** Outcomes as REST takes and shows them. */
import { Injectable } from '@nestjs/common';
import { Cursors } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { UnsupportedMediaTypeError, ValidationError } from '../../errors/index';
import type { ReportedOutcomeDto } from './dto/create-outcomes.request.dto';
import type { ListOutcomesQueryDto, RemoveOutcomesQueryDto } from './dto/outcome.query.dto';
import {
  OutcomeDto,
  type OutcomePageDto,
  type RemovedOutcomesDto,
  type StoredOutcomesDto,
} from './dto/outcome.response.dto';
import type { OutcomeFilter } from './outcome';
import { readOutcomeFile } from './outcome-csv';
import { OutcomeReports } from './outcome-reports.service';
import { OutcomesRepository } from './outcomes.repository';
import { type Learned, OutcomesService } from './outcomes.service';

const MAX_NAMED = 20;

@Injectable()
export class OutcomePages {
  constructor(
    private readonly outcomes: OutcomesService,
    private readonly rows: OutcomesRepository,
    private readonly reports: OutcomeReports,
    private readonly cursors: Cursors,
  ) {}

  async create(ctx: RequestContext, reports: readonly ReportedOutcomeDto[]): Promise<StoredOutcomesDto> {
    const given = await this.reports.read(ctx.principal.userId, reports);
    const learned = await this.outcomes.create(ctx, given);
    return { ...learned.result, ...learnedOf(learned) };
  }

  /** @param body of the request: the bytes of a CSV file */
  async import(ctx: RequestContext, body: unknown, pool?: string): Promise<StoredOutcomesDto> {
    if (!Buffer.isBuffer(body)) {
      throw new UnsupportedMediaTypeError('Send the file as text/csv (header Content-Type)');
    }
    const file = readOutcomeFile(body);
    const learned = await this.outcomes.import(ctx, file, pool);
    const { warnings, ...more } = learnedOf(learned);
    const ignored = file.ignored.length > 0 ? [`Columns that were not read: ${named(file.ignored)}`] : [];
    return { ...learned.result, ...more, warnings: [...ignored, ...warnings] };
  }

  async list(ctx: RequestContext, query: ListOutcomesQueryDto): Promise<OutcomePageDto> {
    const { limit, cursor } = query;
    const filter = this.filterOf(query);
    const list = `outcomes/${JSON.stringify(filter)}`;
    const beforeId = this.cursors.decode<string>(ctx, list, cursor);
    const rows = await this.rows.list(ctx, filter, { limit: limit + 1, beforeId });
    const page = this.cursors.page(ctx, list, { rows, limit, positionOf: ({ id }) => id });
    return { data: page.items.map((one) => OutcomeDto.from(one)), nextCursor: page.nextCursor };
  }

  /** @throws ValidationError when the query says neither which nor all */
  async remove(ctx: RequestContext, query: RemoveOutcomesQueryDto): Promise<RemovedOutcomesDto> {
    const filter = this.filterOf(query);
    const isNarrow = Object.values(filter).some((value) => value !== undefined);
    if (!isNarrow && query.all !== true) {
      throw new ValidationError(
        'Say which outcomes are to go: model, taskType, source or pool, or all=true',
        {
          param: 'all',
        },
      );
    }
    const learned = await this.outcomes.remove(ctx, filter);
    return { removed: learned.result, ...learnedOf(learned) };
  }

  private filterOf({ model, taskType, source, pool }: Omit<RemoveOutcomesQueryDto, 'all'>): OutcomeFilter {
    const models = model === undefined ? undefined : this.outcomes.namesOf(model);
    return { models, taskType, source, pool };
  }
}

function learnedOf({
  version,
  inForce,
  unknownModels,
}: Learned<unknown>): Pick<StoredOutcomesDto, 'version' | 'inForce' | 'warnings'> {
  const warnings: string[] = [];
  if (unknownModels.length > 0) {
    warnings.push(`Models that the catalog does not know; they change no routing: ${named(unknownModels)}`);
  }
  return { version: version ?? null, inForce, warnings };
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).join(', ');
  return names.length > MAX_NAMED ? `${shown} and ${names.length - MAX_NAMED} more` : shown;
}

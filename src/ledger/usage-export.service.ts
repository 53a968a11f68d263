import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import type { RequestContext } from '../common/index';
import { type CsvCell, csvRow } from './csv';
import type { UsageLinesQueryDto, UsageQueryDto } from './dto/usage.query.dto';
import type { UsageLineDto, UsageSumsDto } from './dto/usage.response.dto';
import { usageFilter } from './usage-filter';
import { COMPARED_COLUMNS, toGroup, toLine } from './usage-rows';
import { type LinePosition, UsageRepository } from './usage.repository';

const LINES_PER_PAGE = 1000;
/** Every page of groups sums up all lines again. */
const GROUPS_PER_PAGE = 20_000;

const SUM_COLUMNS = [
  'requests',
  'attempts',
  'promptTokens',
  'cachedReadTokens',
  'cacheWriteTokens',
  'completionTokens',
  'reasoningTokens',
  'costUsd',
  'reused',
  'savedTokens',
  'savedUsd',
  'unpriced',
  'disputed',
] as const satisfies readonly (keyof UsageSumsDto)[];

const LINE_COLUMNS = [
  'requestId',
  'attempt',
  'provider',
  'model',
  'modelServed',
  'outcome',
  'usageSource',
  'promptTokens',
  'cachedReadTokens',
  'cacheWriteTokens',
  'completionTokens',
  'reasoningTokens',
  'costUsd',
  'savedUsd',
  'savedTokens',
  'priceVersion',
  'startedAt',
  'taskType',
  'latencyMs',
  'firstTokenMs',
  'disputes',
  'userId',
  'keyId',
  'projectId',
  'runId',
  'taskId',
  'sessionId',
  'agent',
] as const satisfies readonly (keyof UsageLineDto)[];

/** Whether the caller wants CSV: by `format`, else by the Accept header. */
export function wantsCsv(format: 'json' | 'csv' | undefined, accept: string | undefined): boolean {
  return format === undefined ? /(?:^|,)\s*text\/csv\b/i.test(accept ?? '') : format === 'csv';
}

/** All of a caller's usage as CSV, read page by page while the client takes it. */
@Injectable()
export class UsageExport {
  constructor(private readonly repository: UsageRepository) {}

  /** @throws ValidationError, ForbiddenError */
  async groups(ctx: RequestContext, query: UsageQueryDto): Promise<StreamableFile> {
    const { groupBy, compare: isCompared } = query;
    const columns = [...groupBy, ...SUM_COLUMNS, ...(isCompared ? COMPARED_COLUMNS : [])];
    const filter = usageFilter(ctx, query);
    const read = async (after?: readonly string[]): Promise<Page<readonly string[]>> => {
      const page = { limit: GROUPS_PER_PAGE, after, isCompared };
      const groups = await this.repository.groups(groupBy, filter, page);
      const rows = groups.map((group) => {
        const shown = toGroup(group, groupBy);
        return csvRow(columns.map((column) => shown[column]));
      });
      return { rows, next: rows.length < GROUPS_PER_PAGE ? undefined : groups.at(-1)?.keys };
    };
    return await csvFile('usage.csv', columns, read);
  }

  /** @throws ValidationError, ForbiddenError */
  async lines(ctx: RequestContext, query: UsageLinesQueryDto): Promise<StreamableFile> {
    const filter = usageFilter(ctx, query);
    const read = async (after?: LinePosition): Promise<Page<LinePosition>> => {
      const lines = await this.repository.lines(filter, { limit: LINES_PER_PAGE, after });
      const last = lines.length < LINES_PER_PAGE ? undefined : lines.at(-1);
      return {
        rows: lines.map((line) => lineRow(toLine(line))),
        next: last && [last.position, last.request_id, last.attempt],
      };
    };
    return await csvFile('usage-lines.csv', LINE_COLUMNS, read);
  }
}

function lineRow(line: UsageLineDto): string {
  return csvRow(
    LINE_COLUMNS.map((column): CsvCell => (column === 'disputes' ? line.disputes.join('; ') : line[column])),
  );
}

interface Page<Position> {
  readonly rows: readonly string[];
  /** Undefined on the last page. */
  readonly next?: Position;
}

/** The first page is read before the answer begins, so that what fails at once fails with a status. */
async function csvFile<Position>(
  name: string,
  header: readonly string[],
  read: (after?: Position) => Promise<Page<Position>>,
): Promise<StreamableFile> {
  const first = await read();
  async function* chunks(): AsyncGenerator<string> {
    yield csvRow(header) + first.rows.join('');
    for (let { next } = first; next !== undefined;) {
      const page = await read(next);
      yield page.rows.join('');
      next = page.next;
    }
  }
  return new StreamableFile(Readable.from(chunks(), { objectMode: false }), {
    type: 'text/csv; charset=utf-8; header=present',
    disposition: `attachment; filename="${name}"`,
  });
}

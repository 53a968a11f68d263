import { Injectable } from '@nestjs/common';
import { Cursors } from '../auth/index';
import type { RequestContext } from '../common/index';
import type { UsageLinesQueryDto, UsageQueryDto } from './dto/usage.query.dto';
import type { UsageLinePageDto, UsagePageDto } from './dto/usage.response.dto';
import { usageFilter } from './usage-filter';
import { toGroup, toLine, toSums } from './usage-rows';
import { type LinePosition, UsageRepository } from './usage.repository';

const LINES = 'usage-lines';

/** Usage page by page, as JSON. */
@Injectable()
export class UsagePages {
  constructor(
    private readonly repository: UsageRepository,
    private readonly cursors: Cursors,
  ) {}

  /** @throws ValidationError, ForbiddenError */
  async groups(ctx: RequestContext, query: UsageQueryDto): Promise<UsagePageDto> {
    const { groupBy, limit } = query;
    const list = `usage by ${groupBy.join()}`;
    const after = this.cursors.decode<readonly string[]>(ctx, list, query.cursor);
    const page = { limit: limit + 1, after, isCompared: query.compare };
    const filter = usageFilter(ctx, query);
    const { total, groups: rows } = await this.repository.groupsWithTotal(groupBy, filter, page);
    const { items, nextCursor } = this.cursors.page(ctx, list, {
      rows,
      limit,
      positionOf: (row) => row.keys,
    });
    return { data: items.map((row) => toGroup(row, groupBy)), total: toSums(total), nextCursor };
  }

  /** @throws ValidationError, ForbiddenError */
  async lines(ctx: RequestContext, query: UsageLinesQueryDto): Promise<UsageLinePageDto> {
    const { limit } = query;
    const after = this.cursors.decode<LinePosition>(ctx, LINES, query.cursor);
    const rows = await this.repository.lines(usageFilter(ctx, query), { limit: limit + 1, after });
    const { items, nextCursor } = this.cursors.page(ctx, LINES, {
      rows,
      limit,
      positionOf: (row): LinePosition => [row.position, row.request_id, row.attempt],
    });
    return { data: items.map(toLine), nextCursor };
  }
}

import { Controller, Get, Headers, Query, type StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags, refs } from '@nestjs/swagger';
import { Ctx, Owned } from '../auth/index';
import type { RequestContext } from '../common/index';
import { UsageLinesQueryDto, UsageQueryDto } from './dto/usage.query.dto';
import { UsageLinePageDto, UsagePageDto } from './dto/usage.response.dto';
import { UsageExport, wantsCsv } from './usage-export.service';
import { UsagePages } from './usage.pages';

const CSV = { 'text/csv': { schema: { type: 'string' } } };

@ApiTags('usage')
@ApiBearerAuth()
@ApiExtraModels(UsagePageDto, UsageLinePageDto)
@Controller('api/v1/usage')
export class UsageController {
  constructor(
    private readonly pages: UsagePages,
    private readonly csv: UsageExport,
  ) {}

  @Get()
  @Owned()
  @ApiOperation({
    operationId: 'getUsage',
    summary: 'Requests, tokens and exact cost by day, model, agent, key, user, project, …; also as CSV',
  })
  @ApiOkResponse({ content: { 'application/json': { schema: refs(UsagePageDto)[0] }, ...CSV } })
  async groups(
    @Ctx() ctx: RequestContext,
    @Query() query: UsageQueryDto,
    @Headers('accept') accept?: string,
  ): Promise<UsagePageDto | StreamableFile> {
    return wantsCsv(query.format, accept)
      ? await this.csv.groups(ctx, query)
      : await this.pages.groups(ctx, query);
  }

  @Get('lines')
  @Owned()
  @ApiOperation({
    operationId: 'listUsageLines',
    summary: 'Usage lines, one per upstream attempt, newest first; also as CSV',
  })
  @ApiOkResponse({ content: { 'application/json': { schema: refs(UsageLinePageDto)[0] }, ...CSV } })
  async lines(
    @Ctx() ctx: RequestContext,
    @Query() query: UsageLinesQueryDto,
    @Headers('accept') accept?: string,
  ): Promise<UsageLinePageDto | StreamableFile> {
    return wantsCsv(query.format, accept)
      ? await this.csv.lines(ctx, query)
      : await this.pages.lines(ctx, query);
  }
}

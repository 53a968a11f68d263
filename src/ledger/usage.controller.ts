import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Ctx, Owned } from '../auth/index';
import type { RequestContext } from '../common/index';
import { UsageLinesQueryDto, UsageQueryDto } from './dto/usage.query.dto';
import { UsageLinePageDto, UsagePageDto } from './dto/usage.response.dto';
import { UsagePages } from './usage.pages';

@ApiTags('usage')
@ApiBearerAuth()
@Controller('api/v1/usage')
export class UsageController {
  constructor(private readonly pages: UsagePages) {}

  @Get()
  @Owned()
  @ApiOperation({
    operationId: 'getUsage',
    summary: 'Requests, tokens and exact cost by day, model, key, project',
  })
  @ApiOkResponse({ type: UsagePageDto })
  async groups(@Ctx() ctx: RequestContext, @Query() query: UsageQueryDto): Promise<UsagePageDto> {
    return await this.pages.groups(ctx, query);
  }

  @Get('lines')
  @Owned()
  @ApiOperation({
    operationId: 'listUsageLines',
    summary: 'Usage lines, one per upstream attempt, newest first',
  })
  @ApiOkResponse({ type: UsageLinePageDto })
  async lines(@Ctx() ctx: RequestContext, @Query() query: UsageLinesQueryDto): Promise<UsageLinePageDto> {
    return await this.pages.lines(ctx, query);
  }
}

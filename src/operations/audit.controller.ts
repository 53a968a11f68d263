import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Admin, Ctx } from '../auth/index';
import type { RequestContext } from '../common/index';
import { AuditPages } from './audit.pages';
import { AuditPageDto } from './dto/audit.response.dto';
import { AuditQueryDto } from './dto/audit.query.dto';

@ApiTags('audit')
@Controller('api/v1/audit')
export class AuditController {
  constructor(private readonly pages: AuditPages) {}

  @Get()
  @Admin()
  @ApiOperation({
    operationId: 'listAuditEntries',
    summary: 'Administrative acts, newest first: who did what, before and after',
    description: 'Append-only: PostgreSQL itself refuses to change or delete an entry.',
  })
  @ApiOkResponse({ type: AuditPageDto })
  async list(@Ctx() ctx: RequestContext, @Query() query: AuditQueryDto): Promise<AuditPageDto> {
    return await this.pages.list(ctx, query);
  }
}

import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Admin, Ctx } from '../auth/index';
import type { RequestContext } from '../common/index';
import { ReconcileResponseDto } from './dto/reconcile.response.dto';
import { RerateRequestDto } from './dto/rerate.request.dto';
import { RerateResponseDto } from './dto/rerate.response.dto';
import { LedgerAudit } from './ledger-audit.service';

@ApiTags('ledger')
@ApiBearerAuth()
@Admin()
@Controller('api/v1/ledger')
export class LedgerController {
  constructor(private readonly audit: LedgerAudit) {}

  @Post('reconcile')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'reconcileLedger',
    summary: 'Compare every counter with the usage lines and the open holds',
  })
  @ApiOkResponse({ type: ReconcileResponseDto })
  async reconcile(@Ctx() ctx: RequestContext): Promise<ReconcileResponseDto> {
    return await this.audit.reconcile(ctx);
  }

  @Post('rerate')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'rerateLedger',
    summary: 'Price past usage lines with another price book and show the difference; nothing is changed',
  })
  @ApiOkResponse({ type: RerateResponseDto })
  async rerate(@Ctx() ctx: RequestContext, @Body() body: RerateRequestDto): Promise<RerateResponseDto> {
    return await this.audit.rerate(ctx, body);
  }
}

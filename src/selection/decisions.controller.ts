import { Controller, Get, Param } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Ctx, OwnedBy } from '../auth/index';
import type { RequestContext } from '../common/index';
import { DECISION } from './decisions.repository';
import { DecisionsService } from './decisions.service';
import { DecisionResponseDto } from './dto/decision.response.dto';

@ApiTags('routing')
@ApiBearerAuth()
@Controller('api/v1/decisions')
export class DecisionsController {
  constructor(private readonly decisions: DecisionsService) {}

  @Get(':id')
  @OwnedBy(DECISION)
  @ApiOperation({
    operationId: 'getDecision',
    summary: 'Why a request went where it went',
    description: 'The id stands in the `x-lattice-decision-id` header of every answer.',
  })
  @ApiParam({ name: 'id', example: 'dec_0199a1b2c3d47e5f8a9b0c1d2e3f4a5b' })
  @ApiOkResponse({ type: DecisionResponseDto })
  @ApiNotFoundResponse({ description: 'No such decision, or not yours' })
  async get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<DecisionResponseDto> {
    return await this.decisions.get(ctx, id);
  }
}

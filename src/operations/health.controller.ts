import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Counted, Public } from '../auth/index';
import { LivenessDto, ReadinessDto } from './dto/readiness.response.dto';
import { ReadinessService } from './readiness.service';
import { VERSION } from './version';

@ApiTags('operations')
@ApiSecurity({})
@Public()
@Counted('never')
@Controller()
export class HealthController {
  constructor(private readonly readiness: ReadinessService) {}

  @Get('healthz')
  @ApiOperation({ operationId: 'getHealth', summary: 'Is the process alive?' })
  @ApiOkResponse({ type: LivenessDto })
  live(): LivenessDto {
    return { status: 'ok', version: VERSION };
  }

  @Get('readyz')
  @ApiOperation({
    operationId: 'getReadiness',
    summary: 'Can the process take work? If not: why, and what would help',
  })
  @ApiOkResponse({ type: ReadinessDto })
  @ApiResponse({ status: 503, type: ReadinessDto, description: 'Not ready' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessDto> {
    const state = await this.readiness.check();
    void reply.status(state.ready ? 200 : 503);
    return state;
  }
}

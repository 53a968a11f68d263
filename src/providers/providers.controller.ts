import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Admin, Ctx, Owned } from '../auth/index';
import type { RequestContext } from '../common/index';
import { ProviderHealthDto } from './dto/provider-health.response.dto';
import { ProviderListDto, ProviderResponseDto } from './dto/provider.response.dto';
import { ProviderHealth } from './health/provider-health.service';
import { ProviderReset } from './health/provider-reset.service';

const ID = { name: 'id', example: 'openai', description: 'An id, or an alias such as `gemini`.' } as const;
const UNKNOWN = { description: 'No such provider; the message lists the known ones' } as const;

@ApiTags('providers')
@ApiBearerAuth()
@Controller('api/v1/providers')
export class ProvidersController {
  constructor(
    private readonly providers: ProviderHealth,
    private readonly resets: ProviderReset,
  ) {}

  @Get()
  @Owned()
  @ApiOperation({
    operationId: 'listProviders',
    summary: 'All providers, whether each can be called now, and which variables would enable it',
    description:
      'Each that is set up is asked for its models, which costs nothing, at most once a minute; one that has not answered within two seconds is `unknown` until the next look.',
  })
  @ApiOkResponse({ type: ProviderListDto })
  async list(@Ctx() ctx: RequestContext): Promise<ProviderListDto> {
    return await this.providers.list(ctx);
  }

  @Get(':id')
  @Owned()
  @ApiParam(ID)
  @ApiOperation({
    operationId: 'getProvider',
    summary: 'One provider',
    description: 'Checked and waited for as in the list.',
  })
  @ApiOkResponse({ type: ProviderResponseDto })
  @ApiNotFoundResponse(UNKNOWN)
  async get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<ProviderResponseDto> {
    return await this.providers.get(ctx, id);
  }

  @Get(':id/health')
  @Owned()
  @ApiParam(ID)
  @ApiOperation({
    operationId: 'getProviderHealth',
    summary: 'How a provider is: its last check, its recent traffic, and the circuit breakers of its models',
    description:
      'Checked and waited for as in the list. Traffic and circuit breakers are those of the process that answers; where several run, each has its own. With a credential of your own, check and circuit breakers are those of your credential.',
  })
  @ApiOkResponse({ type: ProviderHealthDto })
  @ApiNotFoundResponse(UNKNOWN)
  async health(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<ProviderHealthDto> {
    return await this.providers.health(ctx, id);
  }

  @Post(':id/reset')
  @Admin()
  @HttpCode(200)
  @ApiParam(ID)
  @ApiOperation({
    operationId: 'resetProvider',
    summary: 'Closes a provider’s circuit breakers and forgets its figures, in every process',
  })
  @ApiOkResponse({ type: ProviderHealthDto })
  @ApiNotFoundResponse(UNKNOWN)
  async reset(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<ProviderHealthDto> {
    return await this.resets.reset(ctx, id);
  }
}

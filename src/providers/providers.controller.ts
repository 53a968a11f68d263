import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Owned } from '../auth/index';
import { ProviderListDto } from './dto/provider.response.dto';
import { ProviderRegistry } from './provider.registry';

@ApiTags('providers')
@ApiBearerAuth()
@Controller('api/v1/providers')
export class ProvidersController {
  constructor(private readonly registry: ProviderRegistry) {}

  @Get()
  @Owned()
  @ApiOperation({
    operationId: 'listProviders',
    summary: 'All providers, whether each can be called now, and which variables would enable it',
  })
  @ApiOkResponse({ type: ProviderListDto })
  list(): ProviderListDto {
    return { data: this.registry.availability(), nextCursor: null };
  }
}

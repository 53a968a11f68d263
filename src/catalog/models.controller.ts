import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Ctx, Owned } from '../auth/index';
import type { RequestContext } from '../common/index';
import { CatalogPages } from './catalog-pages';
import { ListModelsQueryDto } from './dto/list-models.query.dto';
import { ModelPageDto, ModelResponseDto } from './dto/model.response.dto';

@ApiTags('catalog')
@ApiBearerAuth()
@Controller('api/v1/catalog/models')
export class ModelsController {
  constructor(private readonly pages: CatalogPages) {}

  @Get()
  @Owned()
  @ApiOperation({
    operationId: 'listCatalogModels',
    summary: 'All known models with capabilities, scores and prices',
  })
  @ApiOkResponse({ type: ModelPageDto })
  list(@Ctx() ctx: RequestContext, @Query() query: ListModelsQueryDto): ModelPageDto {
    return this.pages.models(ctx, query);
  }

  @Get(':provider/:model')
  @Owned()
  @ApiOperation({
    operationId: 'getCatalogModel',
    summary: 'One model; a slash inside the model id is sent as %2F',
  })
  @ApiParam({ name: 'provider', example: 'sandbox' })
  @ApiParam({ name: 'model', example: 'small' })
  @ApiOkResponse({ type: ModelResponseDto })
  get(@Param('provider') provider: string, @Param('model') model: string): ModelResponseDto {
    return this.pages.model(`${provider}/${model}`);
  }
}

import { Body, Controller, Delete, Get, Param, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Admin, Ctx, Owned } from '../auth/index';
import type { RequestContext } from '../common/index';
import { CatalogPages } from './catalog-pages';
import { ListPricesQueryDto } from './dto/list-models.query.dto';
import { ModelResponseDto } from './dto/model.response.dto';
import { PricePageDto, PriceResponseDto } from './dto/price.response.dto';
import { SetPriceRequestDto } from './dto/set-price.request.dto';

@ApiTags('catalog')
@ApiBearerAuth()
@Controller('api/v1/catalog/prices')
export class PricesController {
  constructor(private readonly pages: CatalogPages) {}

  @Get()
  @Owned()
  @ApiOperation({ operationId: 'listPrices', summary: 'Price versions, newest first' })
  @ApiOkResponse({ type: PricePageDto })
  async list(@Ctx() ctx: RequestContext, @Query() query: ListPricesQueryDto): Promise<PricePageDto> {
    return await this.pages.prices(ctx, query);
  }

  @Put(':provider/:model')
  @Admin()
  @ApiOperation({
    operationId: 'setPrice',
    summary: "Set an operator's price, in US dollars per million tokens",
  })
  @ApiParam({ name: 'provider', example: 'sandbox' })
  @ApiParam({ name: 'model', example: 'small' })
  @ApiOkResponse({ type: PriceResponseDto })
  async set(
    @Ctx() ctx: RequestContext,
    @Param('provider') provider: string,
    @Param('model') model: string,
    @Body() body: SetPriceRequestDto,
  ): Promise<PriceResponseDto> {
    return await this.pages.setPrice(ctx, `${provider}/${model}`, body);
  }

  @Delete(':provider/:model')
  @Admin()
  @ApiOperation({
    operationId: 'removePrice',
    summary: "Take back an operator's price; the listed one holds again",
  })
  @ApiParam({ name: 'provider', example: 'sandbox' })
  @ApiParam({ name: 'model', example: 'small' })
  @ApiOkResponse({ type: ModelResponseDto })
  async remove(
    @Ctx() ctx: RequestContext,
    @Param('provider') provider: string,
    @Param('model') model: string,
  ): Promise<ModelResponseDto> {
    return await this.pages.removePrice(ctx, `${provider}/${model}`);
  }
}

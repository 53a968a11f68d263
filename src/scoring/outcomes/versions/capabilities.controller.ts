import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Admin, Ctx, Owned } from '../../../auth/index';
import { PageQueryDto, type RequestContext } from '../../../common/index';
import {
  ListCapabilitiesQueryDto,
  PIN_EXAMPLES,
  PinCapabilitiesRequestDto,
} from '../dto/capability.request.dto';
import {
  CapabilityPageDto,
  CapabilityStateDto,
  CapabilityVersionDetailDto,
  CapabilityVersionPageDto,
} from '../dto/capability.response.dto';
import { CapabilityPins } from './capability-pins.service';
import { CapabilityPages, stateOf } from './capability.pages';

@ApiTags('routing')
@ApiBearerAuth()
@Controller('api/v1/routing/capabilities')
export class CapabilitiesController {
  constructor(
    private readonly pages: CapabilityPages,
    private readonly pins: CapabilityPins,
  ) {}

  @Get()
  @Owned()
  @ApiOperation({
    operationId: 'listCapabilities',
    summary: 'What routing expects of each model by type of task, and what the catalog alone would say',
  })
  @ApiOkResponse({ type: CapabilityPageDto })
  async models(
    @Ctx() ctx: RequestContext,
    @Query() query: ListCapabilitiesQueryDto,
  ): Promise<CapabilityPageDto> {
    return await this.pages.models(ctx, query);
  }

  @Get('versions')
  @Owned()
  @ApiOperation({
    operationId: 'listCapabilityVersions',
    summary: 'Versions of what was learned, newest first',
    description:
      'The newest 200 are kept, and what routing used in the last 24 hours; for 30 days, one of each hour. ' +
      'A decision whose version is gone replays with what holds now, and says so (`isKept: false`).',
  })
  @ApiOkResponse({ type: CapabilityVersionPageDto })
  async list(@Ctx() ctx: RequestContext, @Query() query: PageQueryDto): Promise<CapabilityVersionPageDto> {
    return await this.pages.list(ctx, query);
  }

  @Get('versions/:version')
  @Owned()
  @ApiOperation({ operationId: 'getCapabilityVersion', summary: 'One version, with all that it holds' })
  @ApiParam({ name: 'version', type: String, example: '1' })
  @ApiOkResponse({ type: CapabilityVersionDetailDto })
  @ApiNotFoundResponse({ description: 'No such version, or not kept any more' })
  async get(
    @Ctx() ctx: RequestContext,
    @Param('version') version: string,
  ): Promise<CapabilityVersionDetailDto> {
    return await this.pages.get(ctx, version);
  }

  @Put('pin')
  @Admin()
  @ApiOperation({
    operationId: 'pinCapabilities',
    summary: 'Hold routing at a version, go back to an earlier one, or follow the newest again',
    description: 'While a version is pinned new ones are still made, and not used.',
  })
  @ApiBody({ type: PinCapabilitiesRequestDto, examples: PIN_EXAMPLES })
  @ApiOkResponse({ type: CapabilityStateDto })
  async pin(
    @Ctx() ctx: RequestContext,
    @Body() { version }: PinCapabilitiesRequestDto,
  ): Promise<CapabilityStateDto> {
    return stateOf(ctx, await this.pins.pin(ctx, version));
  }
}

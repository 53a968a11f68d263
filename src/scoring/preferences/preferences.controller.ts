import { Body, Controller, Delete, Get, HttpCode, Put, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiForbiddenResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { Ctx, Owned } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import {
  PREFERENCES_EXAMPLES,
  PreferencesQueryDto,
  SetPreferencesRequestDto,
} from './dto/preferences.request.dto';
import { PreferencesDto } from './dto/preferences.response.dto';
import { PreferenceSettings } from './preference-settings.service';

const FOREIGN = { description: 'Only administrators reach the preferences of others' };
const MISSING = { description: 'No such user' };

@ApiTags('routing')
@ApiBearerAuth()
@Owned()
@Controller('api/v1/routing/preferences')
export class PreferencesController {
  constructor(private readonly settings: PreferenceSettings) {}

  @Get()
  @ApiOperation({
    operationId: 'getRoutingPreferences',
    summary:
      'How your requests are routed: weights of each strategy and where they come from, quality target, worth of an answer',
  })
  @ApiOkResponse({ type: PreferencesDto })
  @ApiForbiddenResponse(FOREIGN)
  @ApiNotFoundResponse(MISSING)
  get(@Ctx() ctx: RequestContext, @Query() query: PreferencesQueryDto): Promise<PreferencesDto> {
    return this.settings.get(ctx, query.userId);
  }

  @Put()
  @ApiOperation({
    operationId: 'setRoutingPreferences',
    summary: 'Set your own weights, quality target and worth of an answer, from the next request on',
    description:
      'Replaces all that were set before: what is left out is as the installation has it. What a request says for itself wins.',
  })
  @ApiBody({ type: SetPreferencesRequestDto, examples: PREFERENCES_EXAMPLES })
  @ApiOkResponse({ type: PreferencesDto })
  @ApiForbiddenResponse(FOREIGN)
  @ApiNotFoundResponse(MISSING)
  set(
    @Ctx() ctx: RequestContext,
    @Query() query: PreferencesQueryDto,
    @Body() body: SetPreferencesRequestDto,
  ): Promise<PreferencesDto> {
    return this.settings.set(ctx, SetPreferencesRequestDto.wanted(body), query.userId);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteRoutingPreferences',
    summary: 'Take your preferences away; the installation’s weights hold again',
  })
  @ApiNoContentResponse({ description: 'There are none any more' })
  @ApiForbiddenResponse(FOREIGN)
  @ApiNotFoundResponse(MISSING)
  remove(@Ctx() ctx: RequestContext, @Query() query: PreferencesQueryDto): Promise<void> {
    return this.settings.remove(ctx, query.userId);
  }
}

import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiForbiddenResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Counted, Ctx, Owned } from '../auth/index';
import type { RequestContext } from '../common/index';
import {
  CreateLimitRequestDto,
  LIMIT_EXAMPLES,
  ListLimitsQueryDto,
  UpdateLimitRequestDto,
} from './dto/limit.request.dto';
import { LimitPageDto, LimitResponseDto } from './dto/limit.response.dto';
import { LimitsService } from './limits.service';

const ID = { name: 'id', type: String, example: 'lim_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' };
const NOT_FOUND = { description: 'No such limit, or not yours' };
const FORBIDDEN = {
  description:
    'Operators set the limits of their own keys only, and not those that an administrator set; no key sets its own',
};

@ApiTags('limits')
@ApiBearerAuth()
@Counted('unless-admin')
@Controller('api/v1/limits')
export class LimitsController {
  constructor(private readonly limits: LimitsService) {}

  @Post()
  @Owned()
  @ApiOperation({
    operationId: 'createLimit',
    summary: 'Limit the requests, tokens and concurrency of the installation, a user or a key',
    description: 'One set of limits per scope. Replaces the configured default of the scope.',
  })
  @ApiBody({ type: CreateLimitRequestDto, examples: LIMIT_EXAMPLES })
  @ApiCreatedResponse({ type: LimitResponseDto })
  @ApiForbiddenResponse(FORBIDDEN)
  @ApiNotFoundResponse({ description: 'No such user or key, or not yours' })
  @ApiConflictResponse({ description: 'The scope has limits already' })
  async create(@Ctx() ctx: RequestContext, @Body() body: CreateLimitRequestDto): Promise<LimitResponseDto> {
    return await this.limits.create(ctx, body);
  }

  @Get()
  @Owned()
  @ApiOperation({
    operationId: 'listLimits',
    summary: 'Limits of yourself and your keys with the state of their windows; administrators: all',
  })
  @ApiOkResponse({ type: LimitPageDto })
  async list(@Ctx() ctx: RequestContext, @Query() query: ListLimitsQueryDto): Promise<LimitPageDto> {
    return await this.limits.list(ctx, query);
  }

  @Get(':id')
  @Owned()
  @ApiOperation({ operationId: 'getLimit', summary: 'A limit with the state of its windows' })
  @ApiParam(ID)
  @ApiOkResponse({ type: LimitResponseDto })
  @ApiNotFoundResponse(NOT_FOUND)
  async get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<LimitResponseDto> {
    return await this.limits.get(ctx, id);
  }

  @Patch(':id')
  @Owned()
  @ApiOperation({
    operationId: 'updateLimit',
    summary: 'Change limits, from the next request on; null takes one away',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: LimitResponseDto })
  @ApiForbiddenResponse(FORBIDDEN)
  @ApiNotFoundResponse(NOT_FOUND)
  async update(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: UpdateLimitRequestDto,
  ): Promise<LimitResponseDto> {
    return await this.limits.update(ctx, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Owned()
  @ApiOperation({
    operationId: 'deleteLimit',
    summary: 'Take limits away; the configured default holds again',
  })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiForbiddenResponse(FORBIDDEN)
  @ApiNotFoundResponse(NOT_FOUND)
  @ApiConflictResponse({ description: 'It is the configured default: change it instead' })
  async remove(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<void> {
    await this.limits.remove(ctx, id);
  }
}

import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
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
import type { RequestContext } from '../../common/index';
import { ApiKeyPages } from './api-key.pages';
import { ApiKeyService } from './api-key.service';
import { API_KEY } from './api-keys.repository';
import { Ctx } from '../decorators/ctx.decorator';
import { OwnedBy } from '../decorators/owned-by.decorator';
import { Owned } from '../decorators/route-class.decorators';
import { CreateKeyRequestDto } from '../dto/create-key.request.dto';
import { CreatedKeyResponseDto, KeyPageResponseDto, KeyResponseDto } from '../dto/key.response.dto';
import { ListKeysQueryDto } from '../dto/list-keys.query.dto';
import { RotateKeyRequestDto } from '../dto/rotate-key.request.dto';
import { UpdateKeyRequestDto } from '../dto/update-key.request.dto';

const ID = { name: 'id', type: String, example: 'key_0192f0c1a2b37c4d8e5f60718293a4b5' };
const FOREIGN = { description: 'No such key, or not yours' };
const BEYOND = { description: 'The role may not, or the calling key asks for more than it has' };

@ApiTags('keys')
@Controller('api/v1/keys')
export class ApiKeysController {
  constructor(
    private readonly keys: ApiKeyService,
    private readonly pages: ApiKeyPages,
  ) {}

  @Owned()
  @Post()
  @ApiOperation({ summary: 'Create an API key', operationId: 'createKey' })
  @ApiCreatedResponse({ type: CreatedKeyResponseDto })
  @ApiForbiddenResponse(BEYOND)
  async create(
    @Ctx() ctx: RequestContext,
    @Body() body: CreateKeyRequestDto,
  ): Promise<CreatedKeyResponseDto> {
    return this.pages.issued(ctx, await this.keys.create(ctx, CreateKeyRequestDto.settings(body), body));
  }

  @Owned()
  @Get()
  @ApiOperation({ summary: 'Your API keys, newest first', operationId: 'listKeys' })
  @ApiOkResponse({ type: KeyPageResponseDto })
  list(@Ctx() ctx: RequestContext, @Query() query: ListKeysQueryDto): Promise<KeyPageResponseDto> {
    return this.pages.list(ctx, query);
  }

  @OwnedBy(API_KEY)
  @Get(':id')
  @ApiOperation({ summary: 'One API key, revoked ones too', operationId: 'getKey' })
  @ApiParam(ID)
  @ApiOkResponse({ type: KeyResponseDto })
  @ApiNotFoundResponse(FOREIGN)
  get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<KeyResponseDto> {
    return this.pages.get(ctx, id);
  }

  @OwnedBy(API_KEY)
  @Patch(':id')
  @ApiOperation({ summary: 'Rename an API key, narrow or widen it', operationId: 'updateKey' })
  @ApiParam(ID)
  @ApiOkResponse({ type: KeyResponseDto })
  @ApiForbiddenResponse(BEYOND)
  @ApiNotFoundResponse(FOREIGN)
  @ApiConflictResponse({ description: 'It has been revoked' })
  async update(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: UpdateKeyRequestDto,
  ): Promise<KeyResponseDto> {
    return this.pages.show(ctx, await this.keys.update(ctx, id, UpdateKeyRequestDto.change(body)));
  }

  @OwnedBy(API_KEY)
  @Post(':id/rotate')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Replace the secret of an API key',
    description: 'Id, limits, budget and usage stay. The old key ends at once, or after `graceSeconds`.',
    operationId: 'rotateKey',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: CreatedKeyResponseDto })
  @ApiForbiddenResponse(BEYOND)
  @ApiNotFoundResponse(FOREIGN)
  @ApiConflictResponse({ description: 'It has been revoked or has expired' })
  async rotate(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: RotateKeyRequestDto,
  ): Promise<CreatedKeyResponseDto> {
    return this.pages.issued(ctx, await this.keys.rotate(ctx, id, body.graceSeconds));
  }

  @OwnedBy(API_KEY)
  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key', operationId: 'revokeKey' })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'Revoked, now or before' })
  @ApiNotFoundResponse(FOREIGN)
  revoke(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<void> {
    return this.keys.revoke(ctx, id);
  }
}

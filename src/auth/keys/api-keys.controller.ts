import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { PageQueryDto, type RequestContext } from '../../common/index';
import { ApiKeyService } from './api-key.service';
import { Ctx } from '../decorators/ctx.decorator';
import { Owned } from '../decorators/route-class.decorators';
import { CreateKeyRequestDto } from '../dto/create-key.request.dto';
import { CreatedKeyResponseDto, KeyPageResponseDto } from '../dto/key.response.dto';

@ApiTags('keys')
@Controller('api/v1/keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeyService) {}

  @Owned()
  @Post()
  @ApiOperation({ summary: 'Create an API key', operationId: 'createKey' })
  @ApiCreatedResponse({ type: CreatedKeyResponseDto })
  async create(
    @Ctx() ctx: RequestContext,
    @Body() body: CreateKeyRequestDto,
  ): Promise<CreatedKeyResponseDto> {
    return CreatedKeyResponseDto.fromCreated(await this.keys.create(ctx, body.name, body.expiresAt));
  }

  @Owned()
  @Get()
  @ApiOperation({ summary: 'Your API keys, newest first', operationId: 'listKeys' })
  @ApiOkResponse({ type: KeyPageResponseDto })
  async list(@Ctx() ctx: RequestContext, @Query() query: PageQueryDto): Promise<KeyPageResponseDto> {
    return KeyPageResponseDto.from(await this.keys.list(ctx, query.limit, query.cursor));
  }

  @Owned()
  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key', operationId: 'revokeKey' })
  @ApiParam({ name: 'id', type: String, example: 'key_0192f0c1a2b37c4d8e5f60718293a4b5' })
  @ApiNoContentResponse({ description: 'Revoked.' })
  revoke(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<void> {
    return this.keys.revoke(ctx, id);
  }
}

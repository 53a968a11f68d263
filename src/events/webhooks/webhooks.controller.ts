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
import { Ctx, Owned, OwnedBy } from '../../auth/index';
import { PageQueryDto, type RequestContext } from '../../common/index';
import { CreateWebhookRequestDto, UpdateWebhookRequestDto } from './dto/webhook.request.dto';
import { WebhookDto, WebhookPageDto, WebhookWithSecretDto } from './dto/webhook.response.dto';
import { WEBHOOK } from './webhook';
import { WebhookPages } from './webhook.pages';
import { WebhooksService } from './webhooks.service';

const ID = { name: 'id', type: String, example: 'whk_0192f0c1a2b37c4d8e5f60718293a4b5' };
const FOREIGN = { description: 'No such webhook, or not yours' };
const NOT_ADMIN = { description: 'The role may not, or `scope: "all"` without being an administrator' };

@ApiTags('webhooks')
@Controller('api/v1/webhooks')
export class WebhooksController {
  constructor(
    private readonly webhooks: WebhooksService,
    private readonly pages: WebhookPages,
  ) {}

  @Owned()
  @Post()
  @ApiOperation({
    operationId: 'createWebhook',
    summary: 'Have events posted to a URL',
    description:
      'Each event is posted as `{ id, type, resource, at, data }`. `x-lattice-signature: t=<unix>,v1=<hex>` is the ' +
      'HMAC-SHA256 of `<t>.<body>` with the secret. Any 2xx within 10 s means received; otherwise there are five tries ' +
      'within an hour. An event may come twice after a crash: its `id` tells.',
  })
  @ApiCreatedResponse({ type: WebhookWithSecretDto })
  @ApiForbiddenResponse(NOT_ADMIN)
  @ApiConflictResponse({ description: 'There are too many already' })
  async create(
    @Ctx() ctx: RequestContext,
    @Body() body: CreateWebhookRequestDto,
  ): Promise<WebhookWithSecretDto> {
    const settings = CreateWebhookRequestDto.settings(body);
    return WebhookWithSecretDto.fromIssued(await this.webhooks.create(ctx, settings));
  }

  @Owned()
  @Get()
  @ApiOperation({
    operationId: 'listWebhooks',
    summary: 'Your webhooks, newest first; administrators see all',
  })
  @ApiOkResponse({ type: WebhookPageDto })
  list(@Ctx() ctx: RequestContext, @Query() query: PageQueryDto): Promise<WebhookPageDto> {
    return this.pages.list(ctx, query);
  }

  @OwnedBy(WEBHOOK)
  @Get(':id')
  @ApiOperation({ operationId: 'getWebhook', summary: 'One webhook' })
  @ApiParam(ID)
  @ApiOkResponse({ type: WebhookDto })
  @ApiNotFoundResponse(FOREIGN)
  async get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<WebhookDto> {
    return WebhookDto.from(await this.webhooks.get(ctx, id));
  }

  @OwnedBy(WEBHOOK)
  @Patch(':id')
  @ApiOperation({ operationId: 'updateWebhook', summary: 'Change a webhook, or switch it off' })
  @ApiParam(ID)
  @ApiOkResponse({ type: WebhookDto })
  @ApiForbiddenResponse(NOT_ADMIN)
  @ApiNotFoundResponse(FOREIGN)
  async update(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: UpdateWebhookRequestDto,
  ): Promise<WebhookDto> {
    return WebhookDto.from(await this.webhooks.update(ctx, id, UpdateWebhookRequestDto.change(body)));
  }

  @OwnedBy(WEBHOOK)
  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteWebhook', summary: 'Delete a webhook and its deliveries' })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiNotFoundResponse(FOREIGN)
  remove(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<void> {
    return this.webhooks.remove(ctx, id);
  }

  @OwnedBy(WEBHOOK)
  @Post(':id/rotate-secret')
  @HttpCode(200)
  @ApiOperation({ operationId: 'rotateWebhookSecret', summary: 'Sign with a new secret from now on' })
  @ApiParam(ID)
  @ApiOkResponse({ type: WebhookWithSecretDto })
  @ApiNotFoundResponse(FOREIGN)
  async rotateSecret(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<WebhookWithSecretDto> {
    return WebhookWithSecretDto.fromIssued(await this.webhooks.rotateSecret(ctx, id));
  }
}

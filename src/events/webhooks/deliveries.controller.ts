import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Ctx, OwnedBy } from '../../auth/index';
import { PageQueryDto, type RequestContext } from '../../common/index';
import { DeliveryDto, DeliveryPageDto } from './dto/delivery.response.dto';
import { WEBHOOK } from './webhook';
import { WebhookPages } from './webhook.pages';
import { WebhooksService } from './webhooks.service';

const ID = { name: 'id', type: String, example: 'whk_0192f0c1a2b37c4d8e5f60718293a4b5' };
const FOREIGN = { description: 'No such webhook, or not yours' };

@ApiTags('webhooks')
@Controller('api/v1/webhooks')
export class DeliveriesController {
  constructor(
    private readonly webhooks: WebhooksService,
    private readonly pages: WebhookPages,
  ) {}

  @OwnedBy(WEBHOOK)
  @Post(':id/test')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'testWebhook',
    summary: 'Send a `webhook.test` event; its delivery tells the rest',
  })
  @ApiParam(ID)
  @ApiAcceptedResponse({ type: DeliveryDto })
  @ApiNotFoundResponse(FOREIGN)
  @ApiConflictResponse({ description: 'It is switched off' })
  async test(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<DeliveryDto> {
    return DeliveryDto.from(await this.webhooks.test(ctx, id));
  }

  @OwnedBy(WEBHOOK)
  @Get(':id/deliveries')
  @ApiOperation({ operationId: 'listWebhookDeliveries', summary: 'What was sent, or will be, newest first' })
  @ApiParam(ID)
  @ApiOkResponse({ type: DeliveryPageDto })
  @ApiNotFoundResponse(FOREIGN)
  deliveries(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Query() query: PageQueryDto,
  ): Promise<DeliveryPageDto> {
    return this.pages.deliveries(ctx, id, query);
  }
}

/** Webhooks as REST shows them. */
import { Injectable } from '@nestjs/common';
import { Cursors, ownedId } from '../../auth/index';
import { type PageQueryDto, type RequestContext, toApiId } from '../../common/index';
import { DeliveriesRepository } from './deliveries.repository';
import { DeliveryDto, type DeliveryPageDto } from './dto/delivery.response.dto';
import { WebhookDto, type WebhookPageDto } from './dto/webhook.response.dto';
import { WEBHOOK } from './webhook';
import { WebhooksRepository } from './webhooks.repository';

@Injectable()
export class WebhookPages {
  constructor(
    private readonly webhooks: WebhooksRepository,
    private readonly deliveriesOf: DeliveriesRepository,
    private readonly cursors: Cursors,
  ) {}

  async list(ctx: RequestContext, { limit, cursor }: PageQueryDto): Promise<WebhookPageDto> {
    const list = 'webhooks';
    const before = this.cursors.decode<string>(ctx, list, cursor);
    const rows = await this.webhooks.list(ctx, limit + 1, before);
    const page = this.cursors.page(ctx, list, { rows, limit, positionOf: ({ id }) => id });
    return { data: page.items.map((webhook) => WebhookDto.from(webhook)), nextCursor: page.nextCursor };
  }

  async deliveries(
    ctx: RequestContext,
    apiId: string,
    { limit, cursor }: PageQueryDto,
  ): Promise<DeliveryPageDto> {
    const id = ownedId(WEBHOOK, apiId);
    const list = `deliveries/${toApiId('whk', id)}`;
    const before = this.cursors.decode<string>(ctx, list, cursor);
    const rows = await this.deliveriesOf.list(ctx, id, limit + 1, before);
    const page = this.cursors.page(ctx, list, { rows, limit, positionOf: (delivery) => delivery.number });
    return { data: page.items.map((delivery) => DeliveryDto.from(delivery)), nextCursor: page.nextCursor };
  }
}

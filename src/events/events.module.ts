import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { AuthModule } from '../auth/index';
import { Clock, OutboundClient, SystemClock } from '../common/index';
import { AppConfig } from '../config/index';
import { EventCleanup } from './event-cleanup';
import { EventFeed } from './event-feed';
import { EventHistory } from './event-history';
import { EventReaders } from './event-readers';
import { EventRepository } from './event.repository';
import { EventResources } from './event-resources';
import { EventStreams } from './event-streams.service';
import { EventTokens } from './event-tokens';
import { EventsController } from './events.controller';
import { FollowerSeats } from './follower-seats';
import { outboundClient } from './outbound';
import { Outbox } from './outbox';
import { DeliveriesController } from './webhooks/deliveries.controller';
import { DeliveriesRepository } from './webhooks/deliveries.repository';
import { DeliverySchedule } from './webhooks/delivery-schedule';
import { DeliveryTries } from './webhooks/delivery-tries.service';
import { DeliveryWorker } from './webhooks/delivery-worker';
import { WebhookPages } from './webhooks/webhook.pages';
import { WebhookSecrets } from './webhooks/webhook-secrets';
import { WebhookSender } from './webhooks/webhook-sender';
import { WebhookSettingsCheck } from './webhooks/webhook-settings';
import { WebhooksController } from './webhooks/webhooks.controller';
import { WebhooksRepository } from './webhooks/webhooks.repository';
import { WebhooksService } from './webhooks/webhooks.service';

const DOORS = [EventResources, EventStreams, Outbox];

/** What happened, for listeners that must not miss it: outbox, event streams, signed webhooks. */
@Module({
  imports: [AuthModule],
  controllers: [EventsController, WebhooksController, DeliveriesController],
  providers: [
    ...DOORS,
    EventCleanup,
    EventFeed,
    EventHistory,
    EventReaders,
    EventRepository,
    EventTokens,
    FollowerSeats,
    DeliveriesRepository,
    DeliverySchedule,
    DeliveryTries,
    DeliveryWorker,
    WebhookPages,
    WebhookSecrets,
    WebhookSender,
    WebhookSettingsCheck,
    WebhooksRepository,
    WebhooksService,
    { provide: Clock, useClass: SystemClock },
    { provide: OutboundClient, useFactory: outboundClient, inject: [AppConfig] },
  ],
  exports: DOORS,
})
export class EventsModule implements OnApplicationShutdown {
  constructor(private readonly outbound: OutboundClient) {}

  async onApplicationShutdown(): Promise<void> {
    await this.outbound.close();
  }
}

import { Injectable } from '@nestjs/common';
import { Clock, toApiId } from '../../common/index';
import type { NewEvent } from '../event';
import { Outbox } from '../outbox';
import { type ClaimedDelivery, DeliveriesRepository, type TryResult } from './deliveries.repository';
import { DeliverySchedule } from './delivery-schedule';
import { WEBHOOK_FAILED } from './webhook';
import { type SendResult, WebhookSender } from './webhook-sender';

/** One slow receiver shall not keep the others waiting. */
const MAX_PER_WEBHOOK = 4;

/** Takes tries that are due, makes them, and writes down how they ended. */
@Injectable()
export class DeliveryTries {
  constructor(
    private readonly deliveries: DeliveriesRepository,
    private readonly sender: WebhookSender,
    private readonly outbox: Outbox,
    private readonly schedule: DeliverySchedule,
    private readonly clock: Clock,
  ) {}

  claim(busyWebhookIds: readonly string[], limit: number): Promise<ClaimedDelivery[]> {
    return this.deliveries.claim({
      now: new Date(this.clock.now()),
      busyWebhookIds,
      limit,
      perWebhook: MAX_PER_WEBHOOK,
      leaseMs: this.schedule.leaseMs,
    });
  }

  /** Makes the try; one that the signal cuts is given back. */
  async make(delivery: ClaimedDelivery, signal: AbortSignal): Promise<void> {
    if (!delivery.isWanted) {
      const error = 'The webhook was switched off, or its owner may not see this event';
      await this.settle(delivery, { status: 'failed', finishedAt: this.now(), error });
      return;
    }
    if (delivery.attempt > this.schedule.maxAttempts) {
      await this.fail(delivery, { error: 'The service stopped during the last try' });
      return;
    }
    let sent: SendResult;
    try {
      signal.throwIfAborted();
      sent = await this.sender.send(delivery, signal);
    } catch {
      await this.deliveries.release(delivery);
      return;
    }
    await this.note(delivery, sent);
  }

  private async note(delivery: ClaimedDelivery, sent: SendResult): Promise<void> {
    const { httpStatus, error } = sent;
    if (sent.isDelivered) {
      await this.settle(delivery, { status: 'delivered', finishedAt: this.now(), httpStatus });
      return;
    }
    const pauseMs = this.schedule.pauseAfter(delivery.attempt, sent.retryAfterMs);
    if (pauseMs === undefined) {
      await this.fail(delivery, sent);
      return;
    }
    const nextAttemptAt = new Date(this.clock.now() + pauseMs);
    await this.settle(delivery, { status: 'pending', nextAttemptAt, httpStatus, error });
  }

  /** The end of a delivery that was tried: its owner is told, in the same transaction. */
  private async fail(delivery: ClaimedDelivery, { httpStatus, error }: Partial<SendResult>): Promise<void> {
    const result: TryResult = { status: 'failed', finishedAt: this.now(), httpStatus, error };
    await this.deliveries.transaction(async (executor) => {
      const { maxAttempts } = this.schedule;
      const isOurs = await this.deliveries.settle(delivery, result, maxAttempts, executor);
      if (isOurs) await this.outbox.append([failureOf(delivery, result, maxAttempts)], executor);
    });
  }

  private async settle(delivery: ClaimedDelivery, result: TryResult): Promise<void> {
    await this.deliveries.settle(delivery, result, this.schedule.maxAttempts);
  }

  private now(): Date {
    return new Date(this.clock.now());
  }
}

function failureOf(delivery: ClaimedDelivery, { httpStatus, error }: TryResult, attempts: number): NewEvent {
  const { webhookId, ownerId, event, id } = delivery;
  return {
    type: WEBHOOK_FAILED,
    resource: toApiId('whk', webhookId),
    ownerId,
    data: {
      deliveryId: toApiId('dlv', id),
      eventId: toApiId('evt', event.id),
      eventType: event.type,
      attempts,
      lastStatus: httpStatus ?? null,
      lastError: error ?? null,
    },
  };
}

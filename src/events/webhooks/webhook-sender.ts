import { Injectable } from '@nestjs/common';
import { Clock, OutboundClient, OutboundUrlError, toApiId } from '../../common/index';
import { toPublicEvent } from '../event';
import type { ClaimedDelivery } from './deliveries.repository';
import { DeliverySchedule, retryAfterMsOf } from './delivery-schedule';
import { signatureOf } from './signature';
import { WebhookSecrets } from './webhook-secrets';

export interface SendResult {
  readonly isDelivered: boolean;
  readonly httpStatus?: number;
  /** For the owner: no secret, no address, nothing of the answer's body. */
  readonly error?: string;
  readonly retryAfterMs?: number;
}

const USER_AGENT = 'Lattice-Webhooks/1';

/** Makes one try: signs the event and posts it. Any 2xx means delivered; a redirect is not followed. */
@Injectable()
export class WebhookSender {
  constructor(
    private readonly outbound: OutboundClient,
    private readonly secrets: WebhookSecrets,
    private readonly clock: Clock,
    private readonly schedule: DeliverySchedule,
  ) {}

  /** @throws the signal's reason when it aborts; every other failure is a result. */
  async send(delivery: ClaimedDelivery, signal: AbortSignal): Promise<SendResult> {
    const secret = this.secrets.open(delivery.webhookId, delivery.sealedSecret);
    if (secret === undefined) {
      return { isDelivered: false, error: 'The secret cannot be read any more: rotate it' };
    }
    try {
      return await this.post(delivery, secret, signal);
    } catch (error) {
      signal.throwIfAborted();
      return { isDelivered: false, error: this.reasonOf(error) };
    }
  }

  private async post(delivery: ClaimedDelivery, secret: string, signal: AbortSignal): Promise<SendResult> {
    const body = JSON.stringify(toPublicEvent(delivery.event));
    const { status, headers } = await this.outbound.send(delivery.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': USER_AGENT,
        'x-lattice-signature': signatureOf(secret, body, this.clock.now()),
        'x-lattice-event': delivery.event.type,
        'x-lattice-delivery': toApiId('dlv', delivery.id),
      },
      body,
      timeoutMs: this.schedule.timeoutMs,
      maxBytes: 0,
      signal,
    });
    if (status >= 200 && status < 300) return { isDelivered: true, httpStatus: status };
    return {
      isDelivered: false,
      httpStatus: status,
      error: `The receiver answered ${status}`,
      retryAfterMs: retryAfterMsOf(headers['retry-after'], this.clock.now()),
    };
  }

  private reasonOf(error: unknown): string {
    if (error instanceof OutboundUrlError) return error.message;
    const { name, code } = error as { name?: unknown; code?: unknown };
    if (name === 'TimeoutError') return `The receiver did not answer within ${this.schedule.timeoutMs} ms`;
    const known = typeof code === 'string' && /^[A-Z0-9_]{3,40}$/.test(code) ? ` (${code})` : '';
    return `The receiver could not be reached${known}`;
  }
}

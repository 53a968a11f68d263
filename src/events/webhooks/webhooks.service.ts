import { Injectable } from '@nestjs/common';
import { noSuch, ownedId } from '../../auth/index';
import { newId, type RequestContext, type SqlExecutor, toApiId } from '../../common/index';
import { AuditSink, ConflictError } from '../../errors/index';
import { Outbox } from '../outbox';
import { DeliveriesRepository, type Delivery } from './deliveries.repository';
import { WEBHOOK, WEBHOOK_TEST, type Webhook, type WebhookSettings } from './webhook';
import { WebhookSecrets } from './webhook-secrets';
import { WebhookSettingsCheck } from './webhook-settings';
import { WebhooksRepository } from './webhooks.repository';

export interface WebhookWithSecret {
  readonly webhook: Webhook;
  /** Handed out this once. */
  readonly secret: string;
}

export const MAX_WEBHOOKS_PER_USER = 50;

/** Webhooks of the caller; administrators reach those of all. Every change is in the audit log. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly webhooks: WebhooksRepository,
    private readonly deliveries: DeliveriesRepository,
    private readonly settings: WebhookSettingsCheck,
    private readonly secrets: WebhookSecrets,
    private readonly outbox: Outbox,
    private readonly audit: AuditSink,
  ) {}

  /** @throws UrlNotAllowedError, ValidationError, ForbiddenError, ConflictError */
  async create(ctx: RequestContext, settings: WebhookSettings): Promise<WebhookWithSecret> {
    const checked = this.settings.checked(ctx, settings);
    const [id, secret] = [newId(), this.secrets.create()];
    return await this.webhooks.transaction(async (executor) => {
      if ((await this.webhooks.countOwn(ctx, executor)) >= MAX_WEBHOOKS_PER_USER) {
        throw new ConflictError(`There are ${MAX_WEBHOOKS_PER_USER} webhooks already: delete one first.`);
      }
      const sealed = this.secrets.seal(id, secret);
      const webhook = await this.webhooks.add(ctx, { ...checked, id, secret: sealed }, executor);
      await this.record(ctx, { action: 'webhook.create', id, after: webhook }, executor);
      return { webhook, secret };
    });
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, apiId: string): Promise<Webhook> {
    return (await this.webhooks.find(ctx, ownedId(WEBHOOK, apiId))) ?? missing();
  }

  /** Takes effect at once, also for tries that are due. @throws as `create`, and NotFoundError */
  async update(ctx: RequestContext, apiId: string, change: Partial<WebhookSettings>): Promise<Webhook> {
    return await this.locked(ctx, apiId, async (before, executor) => {
      const checked = this.settings.checked(ctx, change);
      const after = await this.webhooks.change(ctx, before.id, { ...before, ...checked }, executor);
      await this.record(ctx, { action: 'webhook.update', id: before.id, before, after }, executor);
      return after;
    });
  }

  /** With its deliveries, those under way included. @throws NotFoundError */
  async remove(ctx: RequestContext, apiId: string): Promise<void> {
    await this.locked(ctx, apiId, async (before, executor) => {
      await this.webhooks.remove(ctx, before.id, executor);
      await this.record(ctx, { action: 'webhook.delete', id: before.id, before }, executor);
    });
  }

  /** Signs with a new secret from now on; the old one is gone. @throws NotFoundError */
  async rotateSecret(ctx: RequestContext, apiId: string): Promise<WebhookWithSecret> {
    return await this.locked(ctx, apiId, async ({ id }, executor) => {
      const secret = this.secrets.create();
      const sealed = this.secrets.seal(id, secret);
      const webhook = await this.webhooks.setSecret(ctx, id, sealed, executor);
      await this.record(ctx, { action: 'webhook.rotate_secret', id }, executor);
      return { webhook, secret };
    });
  }

  /** Sends a `webhook.test` event to this webhook, whatever events it asks for. @throws NotFoundError, ConflictError */
  async test(ctx: RequestContext, apiId: string): Promise<Delivery> {
    return await this.locked(ctx, apiId, async ({ id, userId, isActive }, executor) => {
      if (!isActive) throw new ConflictError('The webhook is switched off: set isActive first.');
      const event = { type: WEBHOOK_TEST, resource: toApiId('whk', id), ownerId: userId, data: {} };
      const eventId = await this.outbox.appendOne(event, executor);
      return await this.deliveries.add(id, eventId, executor);
    });
  }

  private async locked<T>(
    ctx: RequestContext,
    apiId: string,
    work: (webhook: Webhook, executor: SqlExecutor) => Promise<T>,
  ): Promise<T> {
    const id = ownedId(WEBHOOK, apiId);
    return await this.webhooks.transaction(async (executor) => {
      const webhook = (await this.webhooks.find(ctx, id, executor)) ?? missing();
      return await work(webhook, executor);
    });
  }

  private async record(
    ctx: RequestContext,
    act: { action: string; id: string; before?: Webhook; after?: Webhook },
    executor: SqlExecutor,
  ): Promise<void> {
    const { action, id, before, after } = act;
    await this.audit.record(
      ctx,
      {
        action,
        resourceId: toApiId('whk', id),
        before: before && audited(before),
        after: after && audited(after),
      },
      executor,
    );
  }
}

/** Of the URL only where it leads: with many receivers its path or query is a secret. */
function audited({ url, userId, events, isActive, scope }: Webhook): Record<string, unknown> {
  return { origin: new URL(url).origin, userId: toApiId('usr', userId), events, isActive, scope };
}

function missing(): never {
  throw noSuch(WEBHOOK);
}

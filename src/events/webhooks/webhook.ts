import type { OwnedResource } from '../../auth/index';

/** `own`: events of the webhook's owner; `all`: every event, while its owner is an administrator. */
export const WEBHOOK_SCOPES = ['own', 'all'] as const;
export type WebhookScope = (typeof WEBHOOK_SCOPES)[number];

/** What a caller sets. */
export interface WebhookSettings {
  readonly url: string;
  /** Event types, `<prefix>.*` or `*`. */
  readonly events: readonly string[];
  readonly description: string | null;
  readonly isActive: boolean;
  readonly scope: WebhookScope;
}

export interface Webhook extends WebhookSettings {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** For `@OwnedBy`. */
export const WEBHOOK: OwnedResource = { prefix: 'whk', name: 'webhook', table: 'webhooks' };

/** An event's type, or a pattern of types. */
export const EVENT_PATTERN = /^(\*|[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?)$/;
/** What happens to webhooks is never sent to webhooks: one that fails would feed itself. */
export const WEBHOOK_EVENTS = 'webhook.';
export const WEBHOOK_TEST = 'webhook.test';
export const WEBHOOK_FAILED = 'webhook.failed';

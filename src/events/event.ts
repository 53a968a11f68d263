/** What an event is: as modules append it, as it is stored, and as callers see it. */
import { type JsonObject, toApiId } from '../common/index';

export interface NewEvent {
  /** `<subject>.<what happened>`, such as `budget.threshold`. */
  readonly type: string;
  /** API id of what it is about, such as `bud_…` or `usr_…`. */
  readonly resource: string;
  /** User UUID; null: for administrators only. */
  readonly ownerId: string | null;
  /** For callers: no secret, no prompt. */
  readonly data: JsonObject;
}

export interface StoredEvent {
  readonly id: string;
  /** Decimal; later events have larger ones. */
  readonly position: string;
  readonly type: string;
  readonly resource: string;
  readonly ownerId: string | null;
  readonly at: Date;
  readonly data: JsonObject;
}

export interface PublicEvent {
  /** `evt_…` */
  readonly id: string;
  readonly type: string;
  readonly resource: string;
  /** ISO 8601. */
  readonly at: string;
  readonly data: JsonObject;
}

export function toPublicEvent(event: Omit<StoredEvent, 'position' | 'ownerId'>): PublicEvent {
  const { id, type, resource, at, data } = event;
  return { id: toApiId('evt', id), type, resource, at: at.toISOString(), data };
}

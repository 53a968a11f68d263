import { Injectable } from '@nestjs/common';
import { RowCleanup } from '../database/index';
import { EventRepository } from './event.repository';

export const KEPT_DAYS = 30;

/** Forgets old events. */
@Injectable()
export class EventCleanup extends RowCleanup {
  constructor(events: EventRepository) {
    super([(limit) => events.forget(KEPT_DAYS, limit)]);
  }
}

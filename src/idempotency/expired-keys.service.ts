import { Injectable } from '@nestjs/common';
import { RowCleanup } from '../database/index';
import { IdempotencyKeysRepository } from './idempotency-keys.repository';

/** Removes keys whose time is over. */
@Injectable()
export class ExpiredKeys extends RowCleanup {
  constructor(keys: IdempotencyKeysRepository) {
    super([(limit) => keys.removeExpired(limit)]);
  }
}

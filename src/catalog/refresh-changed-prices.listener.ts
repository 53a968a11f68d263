import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Notifications } from '../database/index';
import { PriceBook } from './price-book';
import { PRICES_CHANGED } from './price.repository';

/** Another process's change of a price is in force here at once, not only at the next refresh. */
@Injectable()
export class RefreshChangedPrices implements OnModuleInit {
  constructor(
    private readonly notifications: Notifications,
    private readonly book: PriceBook,
  ) {}

  onModuleInit(): void {
    this.notifications.on(PRICES_CHANGED, () => void this.book.takeOver());
    this.notifications.onReconnect(() => void this.book.takeOver());
  }
}

import { Module } from '@nestjs/common';
import { Cursors } from '../auth/index';
import { Clock, SystemClock } from '../common/index';
import { CatalogPages } from './catalog-pages';
import { CatalogService } from './catalog.service';
import { ModelsController } from './models.controller';
import { PriceBook } from './price-book';
import { PriceRepository } from './price.repository';
import { PricesController } from './prices.controller';
import { RefreshChangedPrices } from './refresh-changed-prices.listener';

/** Which models there are, what they can do and what they cost. Needs AppConfig and the data source, both global. */
@Module({
  controllers: [ModelsController, PricesController],
  providers: [
    CatalogService,
    PriceBook,
    PriceRepository,
    RefreshChangedPrices,
    CatalogPages,
    Cursors,
    { provide: Clock, useClass: SystemClock },
  ],
  exports: [CatalogService, PriceBook],
})
export class CatalogModule {}

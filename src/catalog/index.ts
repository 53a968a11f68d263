export { ModelNotFoundError } from './catalog.errors';
export { CatalogModule } from './catalog.module';
export { CatalogService } from './catalog.service';
export { bookedCost, cost, ratesFor, upperBoundCost } from './cost';
export type { DiscoveredFacts } from './discovered-model';
export * from './model';
export * from './price';
export { PriceBook } from './price-book';
export { PriceRepository } from './price.repository';

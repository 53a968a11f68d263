import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/index';
import { ADAPTER_FACTORIES, adapterFactories } from './adapter-factories';
import { ProviderRegistry } from './provider.registry';
import { ProvidersController } from './providers.controller';

/** Who can be called and how. Needs AppConfig and AppLogger, both global. */
@Module({
  imports: [CatalogModule],
  controllers: [ProvidersController],
  providers: [{ provide: ADAPTER_FACTORIES, useValue: adapterFactories }, ProviderRegistry],
  exports: [ProviderRegistry],
})
export class ProvidersModule {}

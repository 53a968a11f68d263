import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index';
import { CatalogModule } from '../catalog/index';
import { ADAPTER_FACTORIES, adapterFactories } from './adapter-factories';
import { AdapterResources } from './adapter-resources';
import { Capacities } from './capacity/capacities.service';
import { CapacityQueue } from './capacity/capacity-queue';
import { CapacityStore } from './capacity/capacity-store';
import { CredentialDirectory } from './credentials/credential-directory';
import { CredentialResealer } from './credentials/credential-resealer';
import { CredentialSecrets } from './credentials/credential-secrets';
import { CredentialStore } from './credentials/credential-store';
import { CredentialPages } from './credentials/credential.pages';
import { CredentialsController } from './credentials/credentials.controller';
import { CredentialsRepository } from './credentials/credentials.repository';
import { CredentialsService } from './credentials/credentials.service';
import { OwnerAdapters } from './credentials/owner-adapters';
import { AttemptStatistics } from './health/attempt-statistics';
import { Circuits } from './health/circuits';
import { ProviderChecks } from './health/provider-checks';
import { ProviderHealth } from './health/provider-health.service';
import { ProviderReset } from './health/provider-reset.service';
import { KeptThoughtsRepository } from './kept-thoughts.repository';
import { ProviderRegistry } from './provider.registry';
import { ProvidersController } from './providers.controller';

/** Who can be called, how, and how well that goes. Needs AppConfig, observability, database and AuditSink, all global. */
@Module({
  imports: [AuthModule, CatalogModule],
  controllers: [ProvidersController, CredentialsController],
  providers: [
    { provide: ADAPTER_FACTORIES, useFactory: adapterFactories, inject: [AdapterResources] },
    AdapterResources,
    AttemptStatistics,
    Capacities,
    CapacityQueue,
    CapacityStore,
    Circuits,
    CredentialDirectory,
    CredentialPages,
    CredentialResealer,
    CredentialSecrets,
    CredentialsRepository,
    CredentialsService,
    CredentialStore,
    KeptThoughtsRepository,
    OwnerAdapters,
    ProviderChecks,
    ProviderHealth,
    ProviderRegistry,
    ProviderReset,
  ],
  exports: [AttemptStatistics, Capacities, Circuits, ProviderRegistry],
})
export class ProvidersModule {}

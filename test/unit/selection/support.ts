import path from 'node:path';
import { AnalysisService, PatternSet, TaskClassifier } from '../../../src/analysis/index';
import {
  type CatalogModel,
  type CatalogService,
  kindOf,
  type ModelKind,
  ModelNotFoundError,
  type PriceBook,
} from '../../../src/catalog/index';
import { type ChatRequest, PROVIDER_IDS, type ProviderId } from '../../../src/common/index';
import type { AppConfig } from '../../../src/config/index';
import type { ProviderAvailability, ProviderRegistry } from '../../../src/providers/index';
import {
  Capabilities,
  Performances,
  Preferences,
  RoutingWeights,
  ScoringService,
} from '../../../src/scoring/index';
import { CandidatePool } from '../../../src/selection/candidate-pool';
import { Guide } from '../../../src/selection/guide';
import {
  EmbeddingSelection,
  type ExecutionPlan,
  ModelAvailability,
  SelectionService,
} from '../../../src/selection/index';
import { aContext, aPrice } from '../../support/factories';

const CONFIG = [path.join(__dirname, '../../../config')];
const patterns = PatternSet.load(CONFIG);
const classifier = TaskClassifier.load(CONFIG);
const weights = RoutingWeights.load(CONFIG);

export interface Surroundings {
  readonly models: readonly CatalogModel[];
  readonly available?: readonly ProviderId[];
  /** Ids of models without a price. */
  readonly unpriced?: readonly string[];
  /** YAML of the guide. */
  readonly guide?: string;
  readonly warnings?: readonly string[];
}

export interface Router {
  readonly selection: SelectionService;
  readonly embeddings: EmbeddingSelection;
  readonly availability: ModelAvailability;
  /** @param allowedModels of the calling key */
  plan(request: ChatRequest, allowedModels?: readonly string[]): ExecutionPlan;
}

/** The real selection on top of a catalog, prices and availability of the test's own. */
export function aRouter(surroundings: Surroundings): Router {
  const { models, available = ['openai', 'anthropic'], unpriced = [], warnings = [] } = surroundings;
  const catalog = {
    version: 'catalog-1',
    list: () => models,
    ofKind: (kind: ModelKind) => models.filter((model) => kindOf(model) === kind),
    resolve: (asked: string) => {
      const named = models.find(({ id }) => id === asked);
      const sold = models.filter(({ baseModel }) => baseModel === (named?.baseModel ?? asked));
      if (sold.length === 0) throw new ModelNotFoundError(asked, []);
      return { models: named ? [...new Set([named, ...sold])] : sold, warnings };
    },
  } as unknown as CatalogService;
  const byId = new Map(models.map(({ id }, index) => [id, aPrice({ model: id, version: index + 1 })]));
  const prices = {
    current: (id: string) => (unpriced.includes(id) ? undefined : byId.get(id)),
  } as unknown as PriceBook;
  const registry = aRegistry(available);
  const guide = Guide.parse('guide.yaml', surroundings.guide ?? 'prior: 0.03');
  const availability = new ModelAvailability(registry, prices);
  const analysis = new AnalysisService(patterns, classifier, {
    vars: { ANALYZER_CACHE_SIZE: 10 },
  } as unknown as AppConfig);
  const selection = new SelectionService(
    catalog,
    new CandidatePool(catalog, prices, availability, guide),
    availability,
    guide,
    new ScoringService(weights, new Capabilities(), new Performances(), new Preferences()),
    analysis,
  );
  return {
    selection,
    embeddings: new EmbeddingSelection(catalog, prices, availability),
    availability,
    plan: (request, allowedModels) => {
      const principal = { ...aContext().principal, allowedModels };
      return selection.plan(aContext({ principal }), request, analysis.profile(request));
    },
  };
}

function aRegistry(available: readonly ProviderId[]): ProviderRegistry {
  const states = PROVIDER_IDS.map((provider): ProviderAvailability => {
    const variables = [`${provider.toUpperCase()}_API_KEY`];
    if (available.includes(provider)) return { provider, state: 'available', variables, detail: 'Ready' };
    const detail = `Set ${variables.join()}`;
    return { provider, state: 'unavailable', reason: 'key_missing', variables, detail };
  });
  return {
    isAvailable: (provider: ProviderId) => available.includes(provider),
    availability: () => states,
    isByScript: () => false,
  } as unknown as ProviderRegistry;
}

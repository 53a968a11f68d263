import path from 'node:path';
import { AnalysisService, type Patterns, PatternSet, TaskClassifier } from '../../../src/analysis/index';
import {
  type CatalogModel,
  type CatalogService,
  kindOf,
  type ModelKind,
  ModelNotFoundError,
  type PriceBook,
  type PriceVersion,
} from '../../../src/catalog/index';
import {
  type ChatRequest,
  type JsonObject,
  newId,
  PROVIDER_IDS,
  type ProviderId,
  toApiId,
} from '../../../src/common/index';
import { type AppConfig, shortHash } from '../../../src/config/index';
import type { ProviderAvailability, ProviderRegistry } from '../../../src/providers/index';
import type {
  Capabilities,
  CapabilityTable,
  Performances,
  PerformanceTable,
  Preferences,
} from '../../../src/scoring/index';
import { CandidatePool } from '../../../src/selection/candidate-pool';
import { CurrentConditions } from '../../../src/selection/current-conditions.service';
import { DecisionReplay } from '../../../src/selection/decisions/decision-replay.service';
import type {
  DecisionsRepository,
  StoredDecision,
} from '../../../src/selection/decisions/decisions.repository';
import type { DecisionReplayDto } from '../../../src/selection/dto/decision-replay.response.dto';
import type { Experiments } from '../../../src/selection/experiments/experiments.service';
import { Guide } from '../../../src/selection/guide';
import {
  EmbeddingSelection,
  type ExecutionPlan,
  ModelAvailability,
  SelectionService,
} from '../../../src/selection/index';
import { PastConditions } from '../../../src/selection/decisions/past-conditions.service';
import { RouteChooser } from '../../../src/selection/route-chooser';
import { aContext, aPrice } from '../../support/factories';
import { aScoring, type ScoringState } from '../../support/scoring';

const CONFIG = [path.join(__dirname, '../../../config')];
const patterns = PatternSet.load(CONFIG);
const classifier = TaskClassifier.load(CONFIG);

export interface Surroundings {
  readonly models: readonly CatalogModel[];
  readonly available?: readonly ProviderId[];
  /** Ids of models without a price. */
  readonly unpriced?: readonly string[];
  /** By model id, in place of the usual ones; and the book's version. */
  readonly prices?: ReadonlyMap<string, PriceVersion>;
  readonly book?: number;
  /** What the book held at other versions. */
  readonly books?: ReadonlyMap<number, ReadonlyMap<string, PriceVersion>>;
  /** YAML of the guide. */
  readonly guide?: string;
  readonly warnings?: readonly string[];
  readonly scoring?: Partial<ScoringState>;
  /** Capability and performance tables that are kept beside the present ones. */
  readonly kept?: readonly (CapabilityTable | PerformanceTable)[];
  readonly assign?: Experiments['assign'];
}

export interface Router {
  readonly selection: SelectionService;
  readonly embeddings: EmbeddingSelection;
  readonly availability: ModelAvailability;
  readonly replays: DecisionReplay;
  /** @param allowedModels of the calling key */
  plan(request: ChatRequest, allowedModels?: readonly string[]): ExecutionPlan;
  /** Replays what was stored, here or by another router. @param keyAllows what the key is restricted to by now */
  replay(record: JsonObject, keyAllows?: readonly string[]): Promise<DecisionReplayDto>;
}

/** Whose requests they are. */
export const OWNER = '0192f0c1-a2b3-7c4d-8e5f-60718293a4b5';
const CALLER = aContext({ principal: { userId: OWNER, role: 'operator' } });

/** The real selection on top of a catalog, prices and availability of the test's own. */
export function aRouter(surroundings: Surroundings): Router {
  const catalog = aCatalog(surroundings);
  const prices = aBook(surroundings);
  const registry = aRegistry(surroundings.available ?? ['openai', 'anthropic']);
  const guide = Guide.parse('guide.yaml', surroundings.guide ?? 'prior: 0.03');
  const availability = new ModelAvailability(registry, prices);
  const analysis = new AnalysisService({ current: patterns } as Patterns, classifier, {
    vars: { ANALYZER_CACHE_SIZE: 10 },
  } as unknown as AppConfig);
  const { scoring, state } = aScoring(surroundings.scoring);
  const preferences = { of: (owner: string) => state.preferences.get(owner) } as unknown as Preferences;
  const conditions = new CurrentConditions(catalog, prices, guide, availability, scoring, preferences);
  const chooser = new RouteChooser(catalog, new CandidatePool(catalog, guide), guide, scoring);
  const experiments = { assign: surroundings.assign ?? (() => undefined) } as unknown as Experiments;
  const past = new PastConditions(
    prices,
    scoring,
    { find: (version) => found(version, state.capabilities, surroundings) } as Capabilities,
    { find: (version) => found(version, state.performance, surroundings) } as Performances,
    availability,
  );
  const decisions = new Map<string, StoredDecision>();
  const replays = new DecisionReplay(
    { find: (_, id) => Promise.resolve(decisions.get(id)) } as DecisionsRepository,
    past,
    conditions,
    chooser,
    analysis,
  );
  const selection = new SelectionService(conditions, chooser, experiments, availability, analysis);
  return {
    selection,
    embeddings: new EmbeddingSelection(catalog, prices, availability),
    availability,
    replays,
    plan: (request, allowedModels) => {
      const principal = { ...CALLER.principal, allowedModels };
      return selection.plan(aContext({ principal }), request, analysis.profile(request));
    },
    replay: async (record, keyAllows) => {
      const [id, requestId] = [newId(), newId()];
      const stored = JSON.parse(JSON.stringify(record)) as JsonObject;
      decisions.set(id, { id, requestId, userId: OWNER, createdAt: new Date(), record: stored, keyAllows });
      return await replays.replay(CALLER, toApiId('dec', id));
    },
  };
}

function aCatalog({ models, warnings = [] }: Surroundings): CatalogService {
  return {
    get version() {
      return shortHash(JSON.stringify(models));
    },
    list: () => models,
    find: (asked: string) => models.find(({ id }) => id === asked),
    ofKind: (kind: ModelKind) => models.filter((model) => kindOf(model) === kind),
    resolve: (asked: string) => {
      const named = models.find(({ id }) => id === asked);
      const sold = models.filter(({ baseModel }) => baseModel === (named?.baseModel ?? asked));
      if (sold.length === 0) throw new ModelNotFoundError(asked, []);
      return { models: named ? [...new Set([named, ...sold])] : sold, warnings };
    },
  } as unknown as CatalogService;
}

function aBook({ models, unpriced = [], prices, book = models.length, books }: Surroundings): PriceBook {
  const byId =
    prices ?? new Map(models.map(({ id }, index) => [id, aPrice({ model: id, version: index + 1 })]));
  const current = (id: string) => (unpriced.includes(id) ? undefined : byId.get(id));
  return {
    version: book,
    current,
    asOf: (version: number) => {
      const before = books?.get(version);
      return Promise.resolve(before ? { current: (id: string) => before.get(id) } : { current });
    },
  } as unknown as PriceBook;
}

function found<T extends CapabilityTable | PerformanceTable>(
  version: string,
  now: T,
  { kept = [] }: Surroundings,
): Promise<T | undefined> {
  return Promise.resolve([now, ...kept].find((table) => table.version === version) as T | undefined);
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

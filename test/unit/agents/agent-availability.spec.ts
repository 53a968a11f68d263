import { AgentAvailability } from '../../../src/agents/agent-availability';
import type { AgentDefinition } from '../../../src/agents/index';
import {
  type CatalogModel,
  type CatalogService,
  kindOf,
  ModelNotFoundError,
  type PriceBook,
} from '../../../src/catalog/index';
import type { DirectUse, ProviderId } from '../../../src/common/index';
import type { ExecutionMode, ProviderAvailability, ProviderRegistry } from '../../../src/providers/index';
import { aModel, aPrice } from '../../support/factories';
import { anAgent } from './support';

const CALLER = { userId: 'ada' };
const MODELS = [
  aModel({ id: 'openai/gpt-test' }),
  aModel({ id: 'azure/gpt-test' }),
  aModel({ id: 'anthropic/claude-test' }),
  aModel({ id: 'openai/old', status: 'retired', successor: 'openai/gpt-test' }),
  aModel({ id: 'xai/no-price' }),
];

interface Setup {
  /** How each provider can be called; left out: it has no key. */
  readonly modes?: Partial<Record<ProviderId, ExecutionMode | 'both'>>;
  readonly models?: readonly CatalogModel[];
}

function setUp({ modes = {}, models = MODELS }: Setup) {
  const asked: string[] = [];
  const modeOf = (provider: ProviderId, useDirect: DirectUse = true): ExecutionMode | undefined => {
    const mode = modes[provider];
    if (mode === 'both') return useDirect ? 'direct' : 'script';
    if (useDirect === 'only') return mode === 'direct' ? mode : undefined;
    return useDirect || mode === 'script' ? mode : undefined;
  };
  const registry: Pick<ProviderRegistry, 'isAvailable' | 'availability' | 'takesOwnCredential'> = {
    isAvailable: (provider, ownerId, work) => {
      asked.push(`${provider} for ${ownerId}`);
      return modeOf(provider, work?.useDirect) !== undefined;
    },
    availability: () =>
      MODELS.map(({ provider }): ProviderAvailability => ({
        provider,
        state: modeOf(provider) ? 'available' : 'unavailable',
        reason: modeOf(provider) ? undefined : 'key_missing',
        variables: [],
        detail: `Set ${provider.toUpperCase()}_API_KEY`,
      })),
    takesOwnCredential: (provider) => provider === 'openai',
  };
  const catalog: Pick<CatalogService, 'resolve' | 'ofKind'> = {
    ofKind: (kind) => models.filter((model) => kindOf(model) === kind),
    resolve: (name) => {
      const found = models.filter(({ id, baseModel }) => id === name || baseModel === name);
      const [first] = found;
      if (!first) throw new ModelNotFoundError(name, ['openai/gpt-test']);
      const others = models.filter((model) => model.baseModel === first.baseModel && model !== first);
      return { models: [first, ...others], warnings: [] };
    },
  };
  const prices: Pick<PriceBook, 'current'> = {
    current: (id) => (id === 'xai/no-price' ? undefined : aPrice({ model: id })),
  };
  const availability = new AgentAvailability(
    registry as ProviderRegistry,
    catalog as CatalogService,
    prices as PriceBook,
  );
  return { availability, asked };
}

describe(AgentAvailability.name, () => {
  const of = (setup: Setup, agent: Partial<AgentDefinition>, allowedModels?: readonly string[]) =>
    setUp(setup)
      .availability.to({ ...CALLER, allowedModels })
      .of(anAgent(agent));
  const AVAILABLE = { isAvailable: true };
  const unavailable = (reason: string) => ({
    isAvailable: false,
    unavailableReason: expect.stringContaining(reason) as string,
  });

  it.each(['auto', 'auto:best'])('lets %s be done by any model that can be called', (model) => {
    expect(of({ modes: { anthropic: 'direct' } }, { model })).toEqual(AVAILABLE);
    expect(of({}, { model })).toEqual(unavailable('set the key of a provider'));
  });

  it('does not count what is retired or has no price', () => {
    expect(of({ modes: { xai: 'direct' } }, { model: 'auto' })).toEqual(unavailable('No model'));
    expect(of({ modes: { xai: 'direct' } }, { model: 'xai/no-price' })).toEqual(
      unavailable('xai/no-price has no known price'),
    );
    expect(of({ modes: { openai: 'direct' } }, { model: 'openai/old' })).toEqual(
      unavailable('openai/old is retired; use openai/gpt-test'),
    );
  });

  it('lets a named model be done by whoever sells it, or by a fallback', () => {
    const model = 'openai/gpt-test';
    expect(of({ modes: { openai: 'direct' } }, { model })).toEqual(AVAILABLE);
    expect(of({ modes: { azure: 'direct' } }, { model })).toEqual(AVAILABLE);
    expect(of({ modes: { anthropic: 'direct' } }, { model })).toEqual(unavailable('Set OPENAI_API_KEY'));
    const fallbackModels = ['claude-test'];
    expect(of({ modes: { anthropic: 'direct' } }, { model, fallbackModels })).toEqual(AVAILABLE);
  });

  it('says that a credential of one’s own would help only where it would', () => {
    const own = 'store a credential of your own';
    expect(of({}, { model: 'openai/gpt-test' })).toEqual(unavailable(own));
    expect(of({}, { model: 'claude-test' }).unavailableReason).not.toContain(own);
  });

  it('refuses a model that nobody knows, wherever it stands', () => {
    const modes = { openai: 'direct' } as const;
    expect(of({ modes }, { model: 'gpt-9' })).toEqual(unavailable('"gpt-9" is not known'));
    expect(of({ modes }, { model: 'auto', fallbackModels: ['gpt-9'] })).toEqual(unavailable('"gpt-9"'));
  });

  it.each([
    ['direct', 'direct', true],
    ['direct', 'script', false],
    ['script', 'direct', false],
    ['script', 'script', true],
    ['script', 'both', true],
    ['hybrid', 'direct', true],
    ['hybrid', 'script', true],
  ] as const)('in mode %s needs more than a provider that is called by %s: %s', (mode, way, isAvailable) => {
    for (const model of ['auto', 'openai/gpt-test']) {
      expect(of({ modes: { openai: way } }, { mode, model }).isAvailable).toBe(isAvailable);
    }
  });

  it('says what the mode would need', () => {
    const model = 'openai/gpt-test';
    expect(of({ modes: { openai: 'script' } }, { mode: 'direct', model })).toEqual(
      unavailable('mode hybrid or script'),
    );
    expect(of({ modes: { openai: 'script' } }, { mode: 'direct', model: 'auto' })).toEqual(
      unavailable('mode hybrid or script'),
    );
    expect(of({ modes: { openai: 'direct' } }, { mode: 'script', model })).toEqual(
      unavailable('scripts.yaml names no command for openai'),
    );
    expect(of({ modes: { openai: 'direct' } }, { mode: 'script', model: 'auto' })).toEqual(
      unavailable('scripts.yaml names no command'),
    );
  });

  it('is always there for a person', () => {
    expect(of({}, { mode: 'interactive', model: 'gpt-9' })).toEqual(AVAILABLE);
  });

  it('counts only what the key allows', () => {
    const modes = { openai: 'direct', anthropic: 'direct' } as const;
    const model = 'openai/gpt-test';
    expect(of({ modes }, { model }, ['openai/*'])).toEqual(AVAILABLE);
    expect(of({ modes }, { model }, ['anthropic/*'])).toEqual(unavailable('may not use openai/gpt-test'));
    expect(of({ modes }, { model: 'auto' }, ['anthropic/*'])).toEqual(AVAILABLE);
    expect(of({ modes }, { model: 'auto' }, ['google/*'])).toEqual(unavailable('this API key allows'));
  });

  it('asks for the caller, and once for all agents of a list', () => {
    const { availability, asked } = setUp({});
    const mine = availability.to(CALLER);
    for (let count = 0; count < 100; count += 1) {
      for (const model of ['auto:best', 'openai/gpt-test']) mine.of(anAgent({ model }));
    }
    expect(asked.toSorted()).toEqual(['anthropic', 'azure', 'openai', 'xai'].map((id) => `${id} for ada`));
  });
});

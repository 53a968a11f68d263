import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentTemplates } from '../../../src/agents/agent-templates';
import { BuiltInAgents } from '../../../src/agents/built-in-agents';
import { isRouted } from '../../../src/agents/agent-models';
import { CatalogService, kindOf } from '../../../src/catalog/index';
import { loadConfig } from '../../../src/config/index';

describe(BuiltInAgents.name, () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'lattice-agents-'));
  });

  afterEach(() => rmSync(dir, { recursive: true }));

  const file = () => path.join(dir, 'agents', 'agents.yaml');
  const configOf = (text?: string) => {
    if (text !== undefined) {
      mkdirSync(path.dirname(file()), { recursive: true });
      writeFileSync(file(), text);
    }
    return loadConfig({ LATTICE_SECRET_KEY: 's'.repeat(32), LATTICE_CONFIG_DIR: dir });
  };
  const load = (text?: string) => new BuiltInAgents(configOf(text), new AgentTemplates());

  it('are the roles and the vendors', () => {
    const types = load()
      .list()
      .map(({ type }) => type);
    expect(types.toSorted().join(' ')).toBe(
      'analyst claude coder gemini gpt planner researcher reviewer writer',
    );
  });

  it('name models that chat, call tools and are sold', () => {
    const catalog = new CatalogService(configOf());
    const named = load()
      .list()
      .flatMap(({ model, fallbackModels }) => [model, ...fallbackModels])
      .filter((model) => !isRouted(model));
    expect(named.length).toBeGreaterThan(2);
    for (const name of named) {
      const model = catalog.find(name);
      expect([name, model?.status, model && kindOf(model), model?.supports.tools]).toEqual([
        name,
        'active',
        'chat',
        true,
      ]);
    }
  });

  it.each([
    ['claude', 'anthropic'],
    ['gpt', 'openai'],
    ['gemini', 'google'],
  ])('%s stays with %s', (type, provider) => {
    const agent = load().find(type);
    for (const model of [agent?.model, ...(agent?.fallbackModels ?? [])]) {
      expect(model?.split('/')[0]).toBe(provider);
    }
  });

  it('are added to and replaced, entry by entry, by the administrator', () => {
    const agents = load(
      'coder: { description: Ours, model: gpt-6-luna, prompt: Code. }\nlawyer: { description: Law, model: auto, prompt: Law. }\n',
    );
    expect(agents.find('coder')).toEqual({
      type: 'coder',
      description: 'Ours',
      capabilities: [],
      model: 'gpt-6-luna',
      fallbackModels: [],
      prompt: 'Code.',
      tools: [],
      mode: 'hybrid',
      limits: { maxTokens: 8192, maxRounds: 10, timeoutMs: 600_000 },
    });
    expect(agents.find('lawyer')?.description).toBe('Law');
    expect(agents.find('writer')).toBeDefined();
    expect(agents.find('constructor')).toBeUndefined();
  });

  it('are what they are when the file of the administrator is empty', () => {
    expect(load('# nothing yet\n').list()).toEqual(load().list());
  });

  const entry = (more: string) => `lawyer: { description: Law, model: auto, prompt: Law., ${more} }`;
  it.each([
    ['lawyer: { model: auto, prompt: x }', /lawyer\.description: /],
    ['lawyer: { description: x, prompt: x }', /lawyer\.model: /],
    ['lawyer: { description: x, model: auto }', /lawyer\.prompt: /],
    ['Law_yer: { description: x, model: auto, prompt: x }', /Law_yer: the type of an agent must be/],
    ['lawyer: { description: x, model: "auto:good", prompt: x }', /lawyer\.model: must be a model, or auto/],
    [entry('fallbackModels: [auto]'), /lawyer\.fallbackModels\[0\]: must be a model/],
    [entry('capabilities: [Law]'), /lawyer\.capabilities\[0\]: must be lower-case/],
    [entry('tools: ["a b"]'), /lawyer\.tools\[0\]: must be the name of a tool/],
    [entry('mode: dreaming'), /lawyer\.mode: /],
    [entry('limits: { maxTokens: 40000 }'), /lawyer\.limits\.maxTokens: /],
    [entry('limits: { maxRound: 4 }'), /lawyer\.limits: .*"maxRound"/],
    [entry('temperature: 1'), /lawyer: .*"temperature"/],
    [
      'lawyer: { description: x, model: auto, prompt: "a\\n {{ task.titel }}" }',
      /lawyer\.prompt is no usable template \(line 2, column 5\): there is no variable "task\.titel"/,
    ],
    ['- lawyer', /\(top level\): /],
    ['lawyer: { description: x', /line 1/],
  ])('refuse %s, naming the file, the place and the reason', (text, message) => {
    expect(() => load(text)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(() => load(text)).toThrow(message);
    expect(() => load(text)).toThrow(file());
  });
});

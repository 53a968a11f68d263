import type { CatalogModel } from '../../../src/catalog/index';
import type { ChatBody, ChatMessage, LatticeOptions } from '../../../src/common/index';
import { AppError, ValidationError } from '../../../src/errors/index';
import { type ExecutionPlan, SelectionService } from '../../../src/selection/index';
import { aContext, aModel, aRequest } from '../../support/factories';
import { aRouter, type Router, type Surroundings } from './support';

const without = (...missing: (keyof CatalogModel['supports'])[]): CatalogModel['supports'] => ({
  ...aModel().supports,
  ...Object.fromEntries(missing.map((name) => [name, false])),
});
const scored = (value: number): CatalogModel['scores'] =>
  Object.fromEntries(Object.keys(aModel().scores).map((type) => [type, value])) as CatalogModel['scores'];

const strong = aModel({ id: 'openai/strong', scores: scored(0.9) });
const middle = aModel({ id: 'anthropic/middle', scores: scored(0.8) });
const weak = aModel({ id: 'openai/weak', scores: scored(0.6) });
const three = [weak, strong, middle];
const ALL_INPUTS: CatalogModel['input'] = ['text', 'image', 'document', 'audio', 'video'];

const ids = (plan: ExecutionPlan): string[] => plan.candidates.map(({ model }) => model.id);
const plan = (
  surroundings: Partial<Surroundings>,
  body: Partial<ChatBody> = {},
  options: Partial<LatticeOptions> = {},
): ExecutionPlan => aRouter({ models: three, ...surroundings }).plan(aRequest(body, options));
const reasonsOf = ({ filtered }: ExecutionPlan) =>
  Object.fromEntries(filtered.map(({ modelId, reason }) => [modelId, reason]));

function failure(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('It did not fail');
}

const messages = (content: ChatMessage['content']): Partial<ChatBody> => ({
  messages: [{ role: 'user', content }],
});
const image = messages([{ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }]);
const PDF_CHARS = 600_000;
const filePart = (type: string) => ({
  type: 'file',
  file: { file_data: `data:${type};base64,${'A'.repeat(PDF_CHARS)}` },
});
const pdf = messages([filePart('application/pdf')]);
const sound = messages([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } }]);
const film = messages([filePart('video/mp4')]);
const tools = { tools: [{ type: 'function', function: { name: 'look' } }] };
const schema = { response_format: { type: 'json_schema', json_schema: { name: 'a' } } };

describe(SelectionService.name, () => {
  describe('routing', () => {
    it('puts the best score first and the others behind it', () => {
      const made = plan({});
      expect(ids(made)).toEqual(['openai/strong', 'anthropic/middle', 'openai/weak']);
      expect(made).toMatchObject({ strategy: 'auto', filtered: [], warnings: [] });
      expect(made.ranking.map(({ model }) => model.id)).toEqual(ids(made));
    });

    it.each(['auto:cheap', 'auto:best', 'AUTO:fast'])('understands %s', (model) => {
      expect(plan({}, { model }).strategy).toBe(model.toLowerCase().slice(5));
    });

    it('refuses an unknown strategy and lists the known ones', () => {
      expect(() => plan({}, { model: 'auto:good' })).toThrow(ValidationError);
      expect(() => plan({}, { model: 'auto:good' })).toThrow(/auto:cheap, auto:best, auto:fast/);
    });

    it('names the versions of what decided, a decision of its own, and who could be called', () => {
      const made = plan({});
      const { patternsVersion: patterns, classifierVersion: classifier } = made.profile;
      expect(made.versions).toMatchObject({ prices: 3, patterns, classifier, capabilities: 'prior' });
      expect(Object.values(made.versions).every((version) => String(version).length > 0)).toBe(true);
      expect(made.decisionId).not.toBe(plan({}).decisionId);
      expect(made.providers).toEqual(['openai', 'anthropic']);
    });

    it('is frozen', () => {
      const made = plan({});
      for (const part of [made, made.candidates, made.candidates[0], made.ranking, made.filtered]) {
        expect(Object.isFrozen(part)).toBe(true);
      }
    });

    it('has at most six candidates', () => {
      const many = Array.from({ length: 20 }, (_, index) => aModel({ id: `openai/m${index}` }));
      const made = plan({ models: many });
      expect(made.candidates).toHaveLength(6);
      expect(made.ranking).toHaveLength(20);
    });

    it('keeps a place for another provider, so that an outage does not end the plan', () => {
      const many = Array.from({ length: 8 }, (_, index) =>
        aModel({ id: `openai/m${index}`, scores: scored(0.9) }),
      );
      expect(ids(plan({ models: [...many, { ...middle, scores: scored(0.4) }] })).at(-1)).toBe(
        'anthropic/middle',
      );
    });

    it('gives the same plan for every order of the catalog', () => {
      const models = Array.from({ length: 40 }, (_, index) =>
        aModel({
          id: `openai/m${index}`,
          scores: scored(0.5 + (index % 4) / 10),
          speed: index % 2 ? 'fast' : 'slow',
        }),
      );
      const expected = ids(plan({ models }));
      let seed = 7;
      const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
      const request = aRequest();
      for (let round = 0; round < 1_000; round += 1) {
        const shuffled = models
          .map((model) => ({ model, at: random() }))
          .sort((one, other) => one.at - other.at);
        const router = aRouter({ models: shuffled.map(({ model }) => model) });
        expect(ids(router.plan(request))).toEqual(expected);
      }
    });
  });

  describe('hard constraints', () => {
    const bad = (changes: Partial<CatalogModel>): CatalogModel =>
      aModel({ id: 'openai/bad', scores: scored(1), ...changes });

    it.each<[string, Partial<CatalogModel>, Partial<ChatBody>]>([
      ['unavailable', { id: 'xai/bad', provider: 'xai' }, {}],
      ['retired', { status: 'retired' }, {}],
      ['context_window', { contextWindowTokens: 1_000 }, messages('word '.repeat(1_000))],
      ['context_window', { contextWindowTokens: 1_000 }, { max_tokens: 999 }],
      ['context_window', { maxOutputTokens: 500 }, { max_completion_tokens: 501 }],
      ['vision', { supports: without('vision') }, image],
      ['tools', { supports: without('tools') }, tools],
      ['json_schema', { supports: without('jsonSchema') }, schema],
      [
        'json_schema',
        { supports: without('jsonSchema', 'jsonObject') },
        { response_format: { type: 'json_object' } },
      ],
      ['streaming', { supports: without('streaming') }, { stream: true }],
      ['document', {}, pdf],
      ['document', {}, messages([{ type: 'file', file: { file_id: 'file-1' } }])],
      ['audio', {}, sound],
      ['video', {}, film],
    ])('%s: leaves the best-scored model out', (reason, changes, body) => {
      const model = bad(changes);
      const others = [strong, middle].map((other) => ({ ...other, input: ALL_INPUTS }));
      const made = plan({ models: [model, ...others] }, body);
      expect(reasonsOf(made)).toEqual({ [model.id]: reason });
      expect(ids(made)).toEqual(['openai/strong', 'anthropic/middle']);
    });

    it.each<[string, Partial<CatalogModel>, Partial<ChatBody>]>([
      [
        'a capability nobody asked for',
        { supports: without('vision', 'tools', 'jsonSchema', 'streaming') },
        {},
      ],
      ['an exact fit', { contextWindowTokens: 1_000 }, { max_tokens: 995 }],
      [
        'json_object by a model that knows schemas',
        { supports: without('jsonObject') },
        { response_format: { type: 'json_object' } },
      ],
      ['a deprecated model', { status: 'deprecated' }, {}],
    ])('%s is no reason', (_, changes, body) => {
      expect(ids(plan({ models: [bad(changes), strong] }, body))).toContain('openai/bad');
    });

    it('takes no fallback either that cannot read the file', () => {
      const models = [{ ...strong, input: ALL_INPUTS }, middle, { ...weak, input: ALL_INPUTS }];
      const made = plan({ models }, { ...pdf, model: 'openai/weak' }, { fallback: 'any' });
      expect(ids(made)).toEqual(['openai/weak', 'openai/strong']);
      expect(reasonsOf(made)).toEqual({ 'anthropic/middle': 'document' });
    });

    it('counts neither the base64 of a PDF as prompt, nor a guess against a model that was named', () => {
      const models = [{ ...strong, input: ALL_INPUTS, contextWindowTokens: 20_000 }];
      expect(ids(plan({ models }, { ...pdf, ...tools }))).toEqual(['openai/strong']);
      const small = [{ ...strong, input: ALL_INPUTS, contextWindowTokens: 2_000 }];
      expect(failure(() => plan({ models: small }, pdf))).toMatchObject({
        details: { filtered: { context_window: 1 } },
      });
      expect(ids(plan({ models: small }, { ...pdf, model: 'openai/strong' }))).toEqual(['openai/strong']);
    });

    it('does not count the base64 of an image as prompt', () => {
      const model = bad({ contextWindowTokens: 4_000 });
      const big = messages([
        { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(200_000)}` } },
      ]);
      expect(ids(plan({ models: [model] }, big))).toEqual(['openai/bad']);
    });

    it('leaves a model without a price out, unless that is allowed for it', () => {
      const made = plan({ unpriced: ['openai/strong'] });
      expect(reasonsOf(made)).toEqual({ 'openai/strong': 'price_unknown' });
      const allowed = { ...strong, allowUnknownPrice: true };
      const [first] = plan(
        { models: [allowed, weak], unpriced: ['openai/strong'] },
        { model: 'auto:best' },
      ).candidates;
      expect(first).toMatchObject({ model: { id: 'openai/strong' }, price: undefined });
    });

    it('says which constraint removed how many, and what would help', () => {
      const blind = three.map((model) => ({ ...model, supports: without('vision') }));
      const small = aModel({ id: 'openai/small', contextWindowTokens: 10 });
      const error = failure(() => plan({ models: [...blind, small] }, image));
      expect(error).toMatchObject({ status: 422, code: 'NO_SUITABLE_MODEL', type: 'invalid_request_error' });
      expect(error.details).toEqual({ filtered: { vision: 3, context_window: 1 } });
      expect(error.message).toMatch(/3 take no images/);
      expect(error.message).toMatch(/leave the images out/);
    });

    it('is 503 with the variables to set when no provider can be called', () => {
      const error = failure(() => plan({ available: [] }));
      expect(error).toMatchObject({ status: 503, code: 'PROVIDER_UNAVAILABLE', reason: 'key_missing' });
      expect(error.message).toMatch(/OPENAI_API_KEY/);
      expect(error.retryAfterMs).toBeGreaterThan(0);
    });
  });

  describe('guide', () => {
    it('adds its prior to what it recommends', () => {
      const guide = 'prior: 0.2\ntaskTypes: { GENERAL: { recommended: [middle] } }';
      const [first] = plan({ guide }).candidates;
      expect(first).toMatchObject({ model: { id: 'anthropic/middle' }, prior: 0.2 });
      expect(ids(plan({ guide }, messages('Translate to German: good night')))[0]).toBe('openai/strong');
    });

    it('blocks from routing, for one task type or for all', () => {
      const one = 'prior: 0\ntaskTypes: { TRANSLATION: { blocked: [openai/strong] } }';
      expect(ids(plan({ guide: one }))[0]).toBe('openai/strong');
      const made = plan({ guide: one }, messages('Translate to German: good night'));
      expect(reasonsOf(made)).toEqual({ 'openai/strong': 'blocked_by_guide' });
      expect(ids(plan({ guide: 'prior: 0\nall: { blocked: [openai/strong] }' }))).not.toContain(
        'openai/strong',
      );
    });

    it('does not block what a request names', () => {
      const guide = 'prior: 0\nall: { blocked: [openai/strong] }';
      expect(ids(plan({ guide }, { model: 'openai/strong' }))).toEqual(['openai/strong']);
    });

    it('puts its chain first behind the chosen model, but not for who wants it cheap or fast', () => {
      const guide = 'prior: 0\ntaskTypes: { GENERAL: { fallback: [openai/weak, gone/model, middle] } }';
      expect(ids(plan({ guide }))).toEqual(['openai/strong', 'openai/weak', 'anthropic/middle']);
      expect(ids(plan({ guide }, { model: 'auto:fast' }))).toEqual([
        'openai/strong',
        'anthropic/middle',
        'openai/weak',
      ]);
    });

    it('cannot bring back what lacks a capability', () => {
      const guide = 'prior: 0.5\ntaskTypes: { TOOL_USE: { recommended: [weak], fallback: [weak] } }';
      const models = [{ ...weak, supports: without('tools') }, strong];
      expect(ids(plan({ guide, models }, tools))).toEqual(['openai/strong']);
    });
  });

  describe('options of routing', () => {
    it('takes no fallback with none', () => {
      expect(ids(plan({}, {}, { fallback: 'none' }))).toEqual(['openai/strong']);
    });

    it('falls over to the given models, in their order', () => {
      const made = plan({}, {}, { models: ['openai/weak', 'middle', 'openai/strong'] });
      expect(ids(made)).toEqual(['openai/strong', 'openai/weak', 'anthropic/middle']);
    });

    it('obeys the task type that the caller gives', () => {
      const guide = 'prior: 0.5\ntaskTypes: { MATH: { recommended: [openai/weak] } }';
      expect(ids(plan({ guide }, {}, { taskType: 'MATH' }))[0]).toBe('openai/weak');
    });
  });

  describe('a named model', () => {
    const resold = aModel({
      id: 'azure/strong',
      isDeployment: true,
      scores: scored(0.9),
    });
    const sellers: Partial<Surroundings> = {
      models: [...three, resold],
      available: ['openai', 'anthropic', 'azure'],
    };

    it('is pinned: only the same model sold elsewhere follows', () => {
      const made = plan(sellers, { model: 'strong' });
      expect(made.strategy).toBe('pinned');
      expect(ids(made)).toEqual(['openai/strong', 'azure/strong']);
    });

    it('is alone with fallback none', () => {
      const made = plan(sellers, { model: 'strong' }, { fallback: 'none', models: ['openai/weak'] });
      expect(ids(made)).toEqual(['openai/strong']);
      expect(reasonsOf(made)).toEqual({ 'azure/strong': 'not_asked_for' });
    });

    it('is followed by the best others with fallback any', () => {
      const made = plan(sellers, { model: 'openai/weak' }, { fallback: 'any' });
      expect(ids(made).slice(0, 2)).toEqual(['openai/weak', 'openai/strong']);
      expect(new Set(ids(made)).size).toBe(4);
    });

    it('is followed by the given models in their order', () => {
      const made = plan(sellers, { model: 'middle' }, { models: ['openai/weak', 'strong'] });
      expect(ids(made)).toEqual(['anthropic/middle', 'openai/weak', 'openai/strong', 'azure/strong']);
    });

    it('leaves out alternatives that lack what the request needs', () => {
      const models = [strong, { ...weak, supports: without('tools') }];
      const made = plan({ models }, { ...tools, model: 'openai/strong' }, { models: ['openai/weak'] });
      expect(ids(made)).toEqual(['openai/strong']);
      expect(reasonsOf(made)).toEqual({ 'openai/weak': 'tools' });
    });

    it('is bought elsewhere when its preferred provider is away', () => {
      const made = plan({ ...sellers, available: ['azure'] }, { model: 'strong' });
      expect(ids(made)).toEqual(['azure/strong']);
      expect(reasonsOf(made)).toEqual({ 'openai/strong': 'unavailable' });
    });

    it('gives way to an allowed alternative, with a warning', () => {
      const made = plan({ available: ['anthropic'] }, { model: 'openai/strong' }, { fallback: 'any' });
      expect(ids(made)).toEqual(['anthropic/middle']);
      expect(made.warnings).toEqual([expect.stringContaining('openai/strong')]);
    });

    it('is sent although it is retired, with the warnings of the catalog', () => {
      const old = aModel({ id: 'openai/old', status: 'retired' });
      const made = plan({ models: [old], warnings: ['openai/old is retired'] }, { model: 'openai/old' });
      expect(ids(made)).toEqual(['openai/old']);
      expect(made.warnings).toEqual(['openai/old is retired']);
    });

    it('leaves the room for the answer to the provider’s judgement', () => {
      const made = plan({}, { model: 'openai/strong', max_tokens: 10_000_000 });
      expect(ids(made)).toEqual(['openai/strong']);
    });

    it('is 404 when nobody knows it', () => {
      expect(failure(() => plan({}, { model: 'openai/unheard-of' }))).toMatchObject({
        status: 404,
        code: 'model_not_found',
      });
      expect(failure(() => plan({}, {}, { models: ['nope'] }))).toMatchObject({ status: 404 });
    });

    it('is 501 with the variable to set when its provider has no key', () => {
      const error = failure(() => plan({ available: ['anthropic'] }, { model: 'openai/strong' }));
      expect(error).toMatchObject({ status: 501, code: 'REQUIRES_IMPLEMENTATION', reason: 'key_missing' });
      expect(error.message).toMatch(/OPENAI_API_KEY/);
    });

    it('is OpenAI’s own error when the prompt is too long', () => {
      const error = failure(() => plan({}, { ...messages('好'.repeat(200_000)), model: 'openai/strong' }));
      expect(error).toMatchObject({
        status: 400,
        code: 'context_length_exceeded',
        type: 'invalid_request_error',
        param: 'messages',
      });
    });

    it.each<[string, keyof CatalogModel['supports'], Partial<ChatBody>]>([
      ['messages', 'vision', image],
      ['tools', 'tools', tools],
      ['response_format', 'jsonSchema', schema],
      ['stream', 'streaming', { stream: true }],
    ])('is 400 naming %s when it cannot honour it', (param, capability, body) => {
      const models = [{ ...strong, supports: without(capability) }];
      const error = failure(() => plan({ models }, { ...body, model: 'openai/strong' }));
      expect(error).toMatchObject({ status: 400, code: 'MODEL_LACKS_CAPABILITY', param });
      expect(error.message).toMatch(/openai\/strong/);
    });

    it.each<[string, RegExp, Partial<ChatBody>]>([
      ['documents', /reads no documents: send the text/, pdf],
      ['audio', /takes no audio: send the text/, sound],
      ['video', /takes no video: send the text/, film],
    ])('is 400 saying what to do about %s that it cannot read', (_, words, body) => {
      const error = failure(() => plan({}, { ...body, model: 'openai/strong' }));
      expect(error).toMatchObject({ status: 400, code: 'MODEL_LACKS_CAPABILITY', param: 'messages' });
      expect(error.message).toMatch(words);
    });

    it('is 422 PRICE_UNKNOWN when it has no price', () => {
      const error = failure(() => plan({ unpriced: ['openai/strong'] }, { model: 'openai/strong' }));
      expect(error).toMatchObject({ status: 422, code: 'PRICE_UNKNOWN' });
    });
  });

  describe('explain', () => {
    const explain = (router: Router, body: Partial<ChatBody>) =>
      router.selection.explain(aContext(), aRequest(body));

    it('shows every candidate with its factors, and all that was left out with the reason', () => {
      const retired = aModel({ id: 'openai/old', status: 'retired', successor: 'openai/strong' });
      const shown = explain(aRouter({ models: [...three, retired] }), { model: 'auto' });
      expect(shown).toMatchObject({
        model: 'openai/strong',
        fallbacks: ['anthropic/middle', 'openai/weak'],
        asked: 'auto',
        strategy: 'auto',
        filtered: [
          { model: 'openai/old', reason: 'retired', detail: 'Retired; its successor is openai/strong' },
        ],
      });
      expect(shown.ranking).toHaveLength(3);
      expect(Object.keys(shown.ranking[0]?.factors ?? {})).toEqual([
        'capability',
        'context',
        'speed',
        'cost',
        'health',
      ]);
      expect(shown.ranking[0]?.expectedCostUsd).toMatch(/^0\.\d+$/);
      expect(JSON.parse(JSON.stringify(shown))).toMatchObject({ model: 'openai/strong' });
    });

    it('fails as the call would', () => {
      expect(() => explain(aRouter({ models: three, available: [] }), {})).toThrow(
        /No provider is available/,
      );
    });
  });

  describe('isCallable', () => {
    it.each<[string, Partial<CatalogModel>, Partial<Surroundings>, boolean]>([
      ['an ordinary model', {}, {}, true],
      ['a deprecated one', { status: 'deprecated' }, {}, true],
      ['a retired one', { status: 'retired' }, {}, false],
      ['one of an absent provider', {}, { available: [] }, false],
      ['one without a price', {}, { unpriced: ['openai/strong'] }, false],
    ])('%s', (_, changes, surroundings, expected) => {
      const model = { ...strong, ...changes };
      expect(aRouter({ models: [model], ...surroundings }).availability.isCallable(model)).toBe(expected);
    });
  });
});

import type { ChatBody, ChatMessage } from '../../../../src/common/index';
import { convertRequest } from '../../../../src/providers/adapters/ai-sdk/request';
import { bedrockPartOptions } from '../../../../src/providers/adapters/bedrock/cache-points';
import { claudeAbilities } from '../../../../src/providers/adapters/bedrock/families';
import { BEDROCK_FIELDS, refineForBedrock } from '../../../../src/providers/adapters/bedrock/request';
import type { ChatCall } from '../../../../src/providers/index';
import { catalogModel } from '../../../support/contract/catalog-model';

const BUDGET = 'global.anthropic.claude-haiku-4-5-20251001-v1:0';
const ADAPTIVE = 'global.anthropic.claude-opus-4-6-v1';
const STRICT = 'global.anthropic.claude-opus-5-5';
const NOVA = 'us.amazon.nova-pro-v1:0';
const NOVA_2 = 'global.amazon.nova-2-lite-v1:0';
const GPT_OSS = 'openai.gpt-oss-120b-1:0';
const LLAMA = 'us.meta.llama3-3-70b-instruct-v1:0';
const HELLO: ChatMessage = { role: 'user', content: 'Hello' };
const TOOLS: ChatBody['tools'] = [{ type: 'function', function: { name: 'get_weather' } }];
const CALL: ChatMessage = {
  role: 'assistant',
  content: 'One moment',
  tool_calls: [
    { id: 'a', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Rome"}' } },
  ],
};
const RESULT: ChatMessage = { role: 'tool', tool_call_id: 'a', content: '24 degrees' };

async function refine(upstreamId: string, body: Partial<ChatBody>) {
  const model = catalogModel({ provider: 'bedrock', upstreamId, maxOutputTokens: 8000 });
  const whole: ChatBody = { model: upstreamId, messages: [HELLO], ...body };
  const call: ChatCall = { model, body: whole, signal: new AbortController().signal, requestId: 'req_1' };
  const converted = convertRequest(whole, model, {
    ...BEDROCK_FIELDS,
    partOptions: bedrockPartOptions,
  });
  const { options, warnings } = refineForBedrock(converted, call, await claudeAbilities(upstreamId));
  const { amazonBedrock = {}, anthropic } = options.providerOptions ?? {};
  return { options, warnings, amazonBedrock, anthropic };
}

describe(refineForBedrock.name, () => {
  it('adds nothing that was not asked for', async () => {
    for (const model of [BUDGET, ADAPTIVE, NOVA, NOVA_2, GPT_OSS, LLAMA]) {
      const { options, warnings } = await refine(model, {});
      expect(options.providerOptions).toEqual({ amazonBedrock: {} });
      expect(options).toMatchObject({ maxOutputTokens: 8000 });
      expect(options.reasoning).toBeUndefined();
      expect(warnings).toEqual([]);
    }
  });

  it('moves system messages to the front and says so', async () => {
    const { options, warnings } = await refine(LLAMA, {
      messages: [HELLO, { role: 'system', content: 'Later' }],
    });
    expect(options.prompt.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(warnings).toEqual([expect.stringContaining('moved to the front')]);
  });

  describe('reasoning_effort', () => {
    it('is a budget inside the output limit on older Claude models', async () => {
      const { options, amazonBedrock } = await refine(BUDGET, {
        max_tokens: 4000,
        reasoning_effort: 'medium',
      });
      expect(amazonBedrock).toEqual({ reasoningConfig: { type: 'enabled', budgetTokens: 2000 } });
      expect(options).toMatchObject({ maxOutputTokens: 2000, reasoning: undefined });
    });

    it('is left out where the limit leaves no room', async () => {
      const { options, amazonBedrock, warnings } = await refine(BUDGET, {
        max_tokens: 500,
        reasoning_effort: 'low',
      });
      expect(amazonBedrock).toEqual({});
      expect(options).toMatchObject({ maxOutputTokens: 500, reasoning: undefined });
      expect(warnings).toEqual([expect.stringContaining('reasoning_effort was left out')]);
    });

    it.each([
      [ADAPTIVE, 'minimal', 'low', 0],
      [ADAPTIVE, 'medium', 'medium', 0],
      [ADAPTIVE, 'xhigh', 'high', 1],
      [ADAPTIVE, 'max', 'max', 0],
      [STRICT, 'xhigh', 'xhigh', 0],
    ])('is an effort on %s: %s becomes %s', async (model, asked, effort, warned) => {
      const { options, amazonBedrock, warnings } = await refine(model, { reasoning_effort: asked });
      expect(amazonBedrock).toEqual({ reasoningConfig: { type: 'adaptive', maxReasoningEffort: effort } });
      expect(options).toMatchObject({ maxOutputTokens: 8000, reasoning: undefined });
      expect(warnings).toHaveLength(warned);
    });

    it.each([
      [NOVA_2, 'low', 'low', 0],
      [NOVA_2, 'high', 'medium', 1],
      [GPT_OSS, 'high', 'high', 0],
      [GPT_OSS, 'max', 'high', 1],
      [GPT_OSS, 'none', undefined, 1],
      [NOVA_2, 'none', undefined, 0],
      [LLAMA, 'low', undefined, 1],
      [NOVA, 'low', undefined, 1],
      [BUDGET, 'none', 'none', 0],
    ])('goes to %s: %s becomes %s', async (model, asked, effort, warned) => {
      const { options, warnings } = await refine(model, { reasoning_effort: asked });
      expect(options.reasoning).toBe(effort);
      expect(warnings).toHaveLength(warned);
    });
  });

  describe('top_k', () => {
    it.each([
      [BUDGET, {}, { additionalModelRequestFields: { top_k: 5 } }, 0],
      [NOVA, {}, { additionalModelRequestFields: { inferenceConfig: { topK: 5 } } }, 0],
      [LLAMA, {}, {}, 1],
      [STRICT, {}, {}, 1],
      [ADAPTIVE, { reasoning_effort: 'low' }, { reasoningConfig: expect.anything() as unknown }, 1],
    ])('of %s with %j is %j', async (model, body, expected, warned) => {
      const { options, amazonBedrock, warnings } = await refine(model, { ...body, top_k: 5 });
      expect(amazonBedrock).toEqual(expected);
      expect(options.topK).toBeUndefined();
      expect(warnings).toHaveLength(warned);
    });
  });

  it('reads parallel_tool_calls where there are tools', async () => {
    const body = { tools: TOOLS, parallel_tool_calls: false };
    expect((await refine(BUDGET, body)).anthropic).toEqual({ disableParallelToolUse: true });
    expect((await refine(NOVA, body)).warnings).toEqual([expect.stringContaining('parallel_tool_calls')]);
    expect((await refine(NOVA, { parallel_tool_calls: false })).warnings).toEqual([]);
  });

  it.each([
    ['auto', {}, 0],
    [null, {}, 0],
    ['default', { serviceTier: 'default' }, 0],
    ['flex', { serviceTier: 'flex' }, 0],
    ['scale', {}, 1],
  ])('reads the service tier %s', async (service_tier, expected, warned) => {
    const { amazonBedrock, warnings } = await refine(LLAMA, { service_tier });
    expect(amazonBedrock).toEqual(expected);
    expect(warnings).toHaveLength(warned);
  });

  it('keeps a JSON schema and warns of json_object, which has no counterpart', async () => {
    const json_schema = { name: 'n', schema: { type: 'object' } };
    const schema = await refine(LLAMA, { response_format: { type: 'json_schema', json_schema } });
    expect(schema.options.responseFormat).toMatchObject({ type: 'json', schema: { type: 'object' } });
    const object = await refine(LLAMA, { response_format: { type: 'json_object' } });
    expect(object.options.responseFormat).toBeUndefined();
    expect(object.warnings).toEqual([expect.stringContaining('response_format')]);
  });

  describe('cache_control', () => {
    const cache_control = { type: 'ephemeral', ttl: '5m' };
    const messages: ChatBody['messages'] = [
      { role: 'system', content: 'Rules', cache_control: { type: 'ephemeral', ttl: '1h' } },
      { role: 'user', content: [{ type: 'text', text: 'Hello', cache_control }] },
    ];

    it('is a cache point behind the part', async () => {
      const { options, warnings } = await refine(NOVA, { messages });
      expect(options.prompt).toMatchObject([
        { providerOptions: { amazonBedrock: { cachePoint: { type: 'default', ttl: '1h' } } } },
        { content: [{ providerOptions: { amazonBedrock: { cachePoint: { type: 'default' } } } }] },
      ]);
      expect(warnings).toEqual([]);
    });

    it('is left out on models that cannot cache, and beside tools', async () => {
      const { options, warnings } = await refine(LLAMA, { messages });
      expect(JSON.stringify(options.prompt)).not.toContain('cachePoint');
      expect(warnings).toEqual([expect.stringContaining('cache_control')]);
      const tools = TOOLS?.map((tool) => ({ ...tool, cache_control }));
      expect((await refine(NOVA, { tools })).warnings).toEqual([expect.stringContaining('cache_control')]);
    });
  });

  describe('earlier tool calls', () => {
    const messages = [HELLO, CALL, RESULT];

    it('stay what they are beside tools', async () => {
      const { options, warnings } = await refine(NOVA, { messages, tools: TOOLS });
      expect(options.prompt.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
      expect(warnings).toEqual([]);
    });

    it.each([{}, { tools: TOOLS, tool_choice: 'none' }])(
      'are text in a request without tools (%j)',
      async (body) => {
        const { options, warnings } = await refine(NOVA, { messages, ...body });
        expect(options.tools).toBeUndefined();
        expect(options.toolChoice).toBeUndefined();
        expect(options.prompt.slice(1)).toMatchObject([
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'One moment' },
              { type: 'text', text: '[Call a of get_weather: {"city":"Rome"}]' },
            ],
          },
          { role: 'user', content: [{ type: 'text', text: '[Result a of get_weather] 24 degrees' }] },
        ]);
        expect(warnings).toEqual([expect.stringContaining('sent as text')]);
      },
    );

    it('keep the images of a result', async () => {
      const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } };
      const content = [{ type: 'text', text: 'see' }, image];
      const { options } = await refine(NOVA, { messages: [HELLO, CALL, { ...RESULT, content }] });
      expect(options.prompt.at(-1)?.content).toMatchObject([
        { type: 'text', text: '[Result a of get_weather]' },
        { type: 'text', text: 'see' },
        { type: 'file', mediaType: 'image/png' },
      ]);
    });
  });
});

import { appendFileSync, writeFileSync } from 'node:fs';
import { startApp, type TestApp } from '../support/app';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';
import { ProviderRegistry } from '../../src/providers/index';
import { ProviderUnavailableError } from '../../src/errors/index';
import { ToolRegistry } from '../../src/tools/index';

const OUT = '/tmp/zz-review-a.log';
const log = (...parts: unknown[]) => appendFileSync(OUT, parts.map((p) => (typeof p === 'string' ? p : JSON.stringify(p))).join(' ') + '\n');
const MODEL = 'openai/gpt-4o-mini';
const user = (content: unknown) => ({ role: 'user', content });

describe('review a', () => {
  let truth: TruthProvider;
  let app: TestApp;
  beforeAll(async () => {
    writeFileSync(OUT, '');
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url, ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: truth.url, LATTICE_SANDBOX: 'on', LOG_LEVEL: process.env.ZZ_LOG ?? 'silent', TOOL_TIMEOUT_MS: '300' });
    app.app.get(ToolRegistry).register({ name: 'slow', description: 'x', parameters: { type: 'object' }, run: async (_c, _a, s) => { await new Promise((r) => { const t = setTimeout(r, 250); s.addEventListener('abort', () => { clearTimeout(t); r(0); }); }); return 'ok'; } });
  });
  afterAll(async () => { await app.close(); await truth.stop(); });
  afterEach(() => truth.clearScripts());
  const post = async (body: unknown, headers: Record<string, string> = {}) => {
    const r = await fetch(`${app.url}/v1/chat/completions`, { method: 'POST', headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });
    const text = await r.text();
    return { status: r.status, text, id: r.headers.get('x-lattice-request-id') ?? '', headers: r.headers };
  };
  const lines = async (id: string) => (await app.lines(id)).map((l) => `${l.attempt}:${l.model}:${l.outcome}:${l.usageSource}:${l.promptTokens}/${l.completionTokens}:$${l.costUsd}:${l.disputes.join('|')}`);

  it('unbooked: inconsistent usage in failed attempt', async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, prompt_tokens_details: { cached_tokens: 50 } };
    await truth.script({ times: 'always', fault: { kind: 'error-body', body: { error: { message: 'x' }, usage } } });
    let r = await post({ model: MODEL, messages: [user('hi')], max_tokens: 5 });
    log('S1 json', r.status, r.text.slice(0, 200), await lines(r.id));
    await truth.clearScripts();
    await truth.script({ times: 'always', answer: 'a b c d e f', fault: { kind: 'malformed', afterChunks: 1, line: `{"id":"x","choices":[],"usage":${JSON.stringify(usage)}}\n\ndata: {"error":{"message":"boom"}}` } });
    r = await post({ model: MODEL, messages: [user('hi')], max_tokens: 5, stream: true });
    log('S1 sse', r.status, r.text.slice(-300), await lines(r.id));
    await truth.clearScripts();
    await truth.script({ usage: { report: { prompt_tokens: -5, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 4 } } } });
    r = await post({ model: MODEL, messages: [user('hi')], max_tokens: 5 });
    log('S1 neg json', r.status, r.text.slice(0, 200), await lines(r.id));
    await truth.script({ usage: { report: { prompt_tokens: -5, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 400 } } } });
    r = await post({ model: MODEL, messages: [user('hi')], max_tokens: 5, stream: true });
    log('S1 neg sse', r.status, r.text.slice(-300), await lines(r.id));
  });

  it('booked though never sent', async () => {
    let r = await post({ model: 'anthropic/claude-haiku-4-5', messages: [user('hi'), { role: 'function', name: 'x', content: 'y' }, user([{ type: 'weird' }])] });
    log('S65 anthropic invalid', r.status, r.text.slice(0, 300), await lines(r.id));
    const registry = app.app.get(ProviderRegistry);
    const spy = jest.spyOn(registry, 'adapter').mockRejectedValue(new ProviderUnavailableError('package_missing', 'gone'));
    r = await post({ model: MODEL, messages: [user('hi')] });
    spy.mockRestore();
    log('S65 provider unavailable', r.status, r.text.slice(0, 200), await lines(r.id));
  });

  it('odd answers', async () => {
    const answers: [string, unknown][] = [
      ['choices null', { id: 'x', model: 'm', choices: [null], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }],
      ['message null', { id: 'x', model: 'm', choices: [{ index: 0, message: null, finish_reason: 'stop' }], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }],
      ['tool_calls object', { id: 'x', choices: [{ message: { role: 'assistant', tool_calls: {} } }], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }],
      ['tool_calls [null]', { id: 'x', choices: [{ message: { role: 'assistant', tool_calls: [null] } }], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }],
      ['no arguments', { id: 'x', choices: [{ message: { role: 'assistant', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'current_time' } }] } }], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }],
      ['arguments object', { id: 'x', choices: [{ message: { role: 'assistant', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'current_time', arguments: {} } }] } }], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }],
      ['custom call', { id: 'x', choices: [{ message: { role: 'assistant', tool_calls: [{ id: 'c1', type: 'custom', custom: { name: 'shell', input: 'ls' } }] } }], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }],
      ['nul model/usage', { id: 'x', model: 'm\u0000', choices: [{ message: { role: 'assistant', content: 'a' } }], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5, note: '\u0000\ud800' } }],
    ];
    for (const [name, body] of answers) {
      for (const lattice of [undefined, { tools: ['current_time'] }]) {
        await truth.script({ fault: { kind: 'status', status: 200, body } });
        const r = await post({ model: MODEL, messages: [user('hi')], max_tokens: 50, lattice });
        log('ODD', name, lattice ? 'tools' : 'plain', r.status, r.text.slice(0, 120), await lines(r.id));
        await truth.clearScripts();
      }
    }
    for (const line of ['{"choices":[null]}', '{"choices":"abc"}', '{"choices":[{"index":0,"delta":{"tool_calls":[null]}}]}', '{"choices":[{"index":0,"delta":{"tool_calls":{}}}]}', '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"a","arguments":{}}}]}}]}', '{"choices":[{"index":0,"delta":null}]}', '{"choices":null}', '{}', '{"choices":[{"index":0,"delta":"x"}]}']) {
      await truth.script({ answer: 'one two three', fault: { kind: 'malformed', afterChunks: 1, line } });
      const r = await post({ model: MODEL, messages: [user('hi')], max_tokens: 50, stream: true });
      log('ODDSSE', line, r.status, r.text.slice(-220), await lines(r.id));
      await truth.clearScripts();
    }
  });

  it('parallel calls without index', async () => {
    const call = (id: string, n: string, index?: number) => ({ ...(index === undefined ? {} : { index }), id, type: 'function', function: { name: n, arguments: '{}' } });
    for (const idx of [undefined, 0]) {
      await truth.script({ answer: 'x', fault: { kind: 'malformed', afterChunks: 1, line: JSON.stringify({ id: 'z', choices: [{ index: 0, delta: { tool_calls: [call('c1', 'current_time', idx), call('c2', 'current_time', idx)] } }] }) } });
      const r = await post({ model: MODEL, messages: [user('hi')], max_tokens: 50, stream: true, lattice: { tools: ['current_time'] } });
      const last = (await truth.attempts()).at(-1)?.body.messages;
      log('S17 idx', idx ?? 'none', r.status, JSON.stringify(last).slice(0, 600));
      await truth.clearScripts();
    }
  });

  it('tool_choice, kept collision, nul ids', async () => {
    const before = (await truth.attempts()).length;
    await truth.script({ times: 'always', toolRounds: 1, toolCalls: [{ name: 'current_time' }], answer: 'ok' });
    await post({ model: MODEL, messages: [user('hi')], lattice: { tools: ['current_time'] }, tool_choice: { type: 'function', function: { name: 'current_time' } } });
    log('S18', (await truth.attempts()).slice(before).map((a) => a.body.tool_choice));
    await truth.clearScripts();
    await truth.script({ toolCalls: [{ name: 'current_time', id: 'call_1' }, { name: 'mine', id: 'call_0' }] });
    const tools = [{ type: 'function', function: { name: 'mine' } }];
    await post({ model: MODEL, messages: [user('secret conversation one')], tools, lattice: { tools: ['current_time'] } });
    await post({ model: MODEL, tools, lattice: { tools: ['current_time'] }, messages: [user('unrelated two'), { role: 'assistant', content: null, tool_calls: [{ id: 'call_0', type: 'function', function: { name: 'mine', arguments: '{}' } }] }, { role: 'tool', tool_call_id: 'call_0', content: 'x' }] });
    log('S19 collision', JSON.stringify((await truth.attempts()).at(-1)?.body.messages));
    let r = await post({ model: MODEL, tools, messages: [user('followup without lattice'), { role: 'assistant', content: null, tool_calls: [{ id: 'call_0', type: 'function', function: { name: 'mine', arguments: '{}' } }] }, { role: 'tool', tool_call_id: 'call_0', content: 'x' }] });
    log('S19 no lattice', JSON.stringify((await truth.attempts()).at(-1)?.body.messages));
    r = await post({ model: MODEL, tools, lattice: { tools: ['current_time'] }, messages: [user('n'), { role: 'assistant', content: null, tool_calls: [{ id: 'a\u0000', type: 'function', function: { name: 'mine', arguments: '{}' } }] }, { role: 'tool', tool_call_id: 'a\u0000', content: 'x' }] });
    log('S38 nul id', r.status, r.text.slice(0, 200));
    await truth.script({ toolCalls: [{ name: 'current_time', id: 'k1', arguments: '{"a":"\\u0000"}' }, { name: 'mine', id: 'k\u00002' }] });
    r = await post({ model: MODEL, messages: [user('mixed nul')], tools, lattice: { tools: ['current_time'] } });
    log('S38 nul kept id', r.status, r.text.slice(0, 200), await lines(r.id));
    await truth.script({ toolCalls: [{ name: 'current_time', id: 'k1', arguments: '\u0000' }, { name: 'mine', id: 'k3' }] });
    r = await post({ model: MODEL, messages: [user('mixed nul')], tools, lattice: { tools: ['current_time'] } });
    log('S38 nul kept arg', r.status, r.text.slice(0, 200), await lines(r.id));
  });

  it('reasoning and no usage; usage in stream chunks', async () => {
    await truth.script({ answer: 'ok', reasoning: 'word '.repeat(400), usage: { report: 'omit' } });
    let r = await post({ model: MODEL, messages: [user('hi')] });
    log('S46 json', r.status, r.text.length, await lines(r.id), (await truth.attempts()).at(-1)?.completionTokens);
    await truth.script({ answer: 'ok', reasoning: 'word '.repeat(400), usage: { report: 'omit' } });
    r = await post({ model: MODEL, messages: [user('hi')], stream: true });
    log('S46 sse', r.status, r.text.length, await lines(r.id), (await truth.attempts()).at(-1)?.completionTokens);
  });

  it('fuzz bodies', async () => {
    const odd: [string, object][] = [
      ['tool_calls null', { messages: [user('a'), { role: 'assistant', content: 'x', tool_calls: null }, user('b')] }],
      ['tool_calls [] ', { messages: [user('a'), { role: 'assistant', content: 'x', tool_calls: [] }, user('b')] }],
      ['custom tool call', { messages: [user('a'), { role: 'assistant', tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'x', input: 'y' } }] }, { role: 'tool', tool_call_id: 'a', content: 'x' }] }],
      ['bare tool call', { messages: [user('a'), { role: 'assistant', tool_calls: [{ id: 'a' }] }, { role: 'tool', tool_call_id: 'a', content: 'x' }] }],
      ['input_image url 5', { messages: [user([{ type: 'input_image', image_url: { url: 5 } }])] }],
      ['input_image null', { messages: [user([{ type: 'input_image', image_url: null }])] }],
      ['text with text null type other', { messages: [user([{ type: 'foo', text: 5 }])] }],
      ['text obj', { messages: [user([{ type: 'foo', text: { a: 1 } }])] }],
      ['empty content', { messages: [user([])] }],
      ['only system', { messages: [{ role: 'system', content: 'x' }] }],
      ['only assistant null', { messages: [{ role: 'assistant', content: null }] }],
      ['assistant refusal', { messages: [user('a'), { role: 'assistant', refusal: 'no' }] }],
      ['tools null', { messages: [user('a')], tools: null }],
      ['tools custom', { messages: [user('a')], tools: [{ type: 'custom', custom: { name: 'a' } }] }],
      ['tools fn null', { messages: [user('a')], tools: [{ type: 'custom', function: null }] }],
      ['tools fn string', { messages: [user('a')], tools: [{ type: 'x', function: 'abc' }] }],
      ['tools params odd', { messages: [user('a')], tools: [{ type: 'function', function: { name: 'a', parameters: 5, description: 7 } }] }],
      ['tools params null', { messages: [user('use a')], tools: [{ type: 'function', function: { name: 'a', parameters: null } }], tool_choice: 'required' }],
      ['tool_choice odd', { messages: [user('a')], tools: [{ type: 'function', function: { name: 'a' } }], tool_choice: 5 }],
      ['tool_choice fn null', { messages: [user('a')], tools: [{ type: 'function', function: { name: 'a' } }], tool_choice: { type: 'function', function: null } }],
      ['tool_choice null', { messages: [user('a')], tool_choice: null }],
      ['rf null', { messages: [user('a')], response_format: null }],
      ['rf schema missing', { messages: [user('a')], response_format: { type: 'json_schema', json_schema: { name: 'a' } } }],
      ['rf schema odd', { messages: [user('a')], response_format: { type: 'json_schema', json_schema: { name: 'a', schema: 5 } } }],
      ['rf schema weird', { messages: [user('a')], response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object', properties: { a: null, b: { $ref: '#' }, c: { enum: [] }, d: { type: [] } }, required: 5 } } } }],
      ['rf schema recursive', { messages: [user('a')], response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { $ref: '#' } } } }],
      ['n null', { messages: [user('a')], n: null }],
      ['max null', { messages: [user('a')], max_tokens: null, max_completion_tokens: null }],
      ['max huge', { messages: [user('a')], max_tokens: 10000000 }],
      ['n 128 max', { messages: [user('a')], n: 128, max_tokens: 100000 }],
      ['stream null', { messages: [user('a')], stream: null }],
      ['stream_options null', { messages: [user('a')], stream: true, stream_options: null }],
      ['include_usage str', { messages: [user('a')], stream: true, stream_options: { include_usage: 'yes' } }],
      ['functions odd', { messages: [user('a')], functions: 5 }],
      ['functions null entries', { messages: [user('a')], functions: [null] }],
      ['name number', { messages: [{ role: 'user', content: 'a', name: 5 }] }],
      ['tool arr content', { messages: [user('a'), { role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name: 'x', arguments: '' } }] }, { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'x' }] }] }],
      ['orphan tool', { messages: [{ role: 'tool', tool_call_id: 'zzz', content: 'x' }] }],
      ['function role', { messages: [user('x'), { role: 'function', name: 'f', content: 'x' }] }],
      ['lone surrogate', { messages: [user('\ud800 hi')] }],
      ['nul', { messages: [user('\u0000')] }],
      ['user nul', { messages: [user('a')], user: '\u0000', metadata: { a: '\u0000' } }],
      ['audio', { messages: [user([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }])] }],
      ['audio null', { messages: [user([{ type: 'input_audio', input_audio: null }])] }],
      ['file', { messages: [user([{ type: 'file', file: { file_id: 'x' } }])] }],
      ['file null', { messages: [user([{ type: 'file', file: null }])] }],
      ['file bad', { messages: [user([{ type: 'file', file: { file_data: 5, filename: 7 } }])] }],
      ['image ok', { messages: [user([{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }])] }],
      ['image bad data', { messages: [user([{ type: 'image_url', image_url: { url: 'data:image/' } }])] }],
      ['image bad http', { messages: [user([{ type: 'image_url', image_url: { url: 'http://' } }])] }],
      ['stop empty', { messages: [user('a')], stop: [] }],
      ['stop 16', { messages: [user('a')], stop: Array(16).fill('') }],
      ['seed big', { messages: [user('a')], seed: 9007199254740991 }],
      ['logprobs', { messages: [user('a')], logprobs: true, top_logprobs: 20 }],
      ['reasoning_effort odd', { messages: [user('a')], reasoning_effort: 5 }],
      ['reasoning_effort obj', { messages: [user('a')], reasoning_effort: {}, thinking: 5, reasoning: 'x' }],
      ['cache_control odd', { messages: [user([{ type: 'text', text: 'x', cache_control: 5 }])] }],
      ['tostring', { messages: [user('a')], toString: 1, constructor: 2, hasOwnProperty: 3, toJSON: 4 }],
      ['msg toJSON', { messages: [{ role: 'user', content: 'x', toJSON: 5, toString: null }] }],
      ['long model', { model: 'x'.repeat(300000), messages: [user('a')] }],
      ['model nul', { model: 'a\u0000', messages: [user('a')] }],
      ['model proto', { model: '__proto__', messages: [user('a')] }],
      ['model constructor', { model: 'constructor', messages: [user('a')] }],
      ['model slash', { model: '/', messages: [user('a')] }],
      ['model openai/', { model: 'openai/', messages: [user('a')] }],
      ['model local/x', { model: 'ollama/x', messages: [user('a')] }],
      ['model azure/x', { model: 'azure/x', messages: [user('a')] }],
      ['lattice null', { messages: [user('a')], lattice: null }],
      ['lattice tools dup', { messages: [user('a')], lattice: { tools: ['current_time', 'current_time'] } }],
      ['lattice tools proto', { messages: [user('a')], lattice: { tools: ['__proto__'] } }],
      ['lattice long tool', { messages: [user('a')], lattice: { tools: ['x'.repeat(500000)] } }],
      ['lattice long key', { messages: [user('a')], lattice: { ['k'.repeat(500000)]: 1 } }],
      ['taskType ctor', { messages: [user('a')], lattice: { taskType: 'constructor' } }],
      ['models empty', { messages: [user('a')], models: [] }],
      ['models unknown', { messages: [user('a')], models: ['nope'] }],
      ['models auto', { messages: [user('a')], models: ['auto'] }],
      ['metadata', { messages: [user('a')], metadata: [[[[]]]] }],
      ['deep', { messages: [user('a')], x: JSON.parse('['.repeat(3000) + ']'.repeat(3000)) }],
      ['deep schema', { messages: [user('a')], response_format: { type: 'json_schema', json_schema: { name: 'a', schema: JSON.parse('{"items":'.repeat(2000) + '{"type":"array"}' + '}'.repeat(2000)) } } }],
      ['tool msg nul', { messages: [user('a')], modalities: ['audio'], audio: {} }],
    ];
    const seen: Record<string, number> = {};
    for (const [name, body] of odd) {
      for (const model of ['auto', 'sandbox/small', MODEL, 'anthropic/claude-haiku-4-5']) {
        for (const stream of [false, true]) {
          for (const lattice of [undefined, { tools: ['current_time'] }]) {
            if (lattice && 'lattice' in body) continue;
            let r;
            try {
              r = await Promise.race([post({ model, ...(stream ? { stream } : {}), ...(lattice ? { lattice } : {}), ...(model === 'anthropic/claude-haiku-4-5' ? { } : {}), ...body }, model.startsWith('anthropic') ? { 'x-lattice-fallback': 'none' } : {}), new Promise<never>((_, j) => setTimeout(() => j(new Error('HANG')), 8000))]);
            } catch (e) { log('FUZZ HANG', name, model, stream, !!lattice, String(e)); continue; }
            seen[String(r.status)] = (seen[String(r.status)] ?? 0) + 1;
            if (r.text.length > 5000 && r.status >= 400) log('FUZZ LONG ERROR', name, r.status, r.text.length);
            if (r.status >= 500 && !(model.startsWith('anthropic') && /PROVIDER_/.test(r.text))) log('FUZZ', name, model, stream ? 'sse' : 'json', lattice ? 'tools' : '', r.status, r.text.slice(0, 160));
            if (stream && r.status === 200 && r.text.includes('"INTERNAL"')) log('FUZZ SSE INTERNAL', name, model, r.text.slice(-160));
          }
        }
      }
    }
    log('FUZZ statuses', seen);
    const holds = await app.database.query('select count(*)::int as count from holds');
    log('holds', holds, 'reconcile', await app.reconcile());
  }, 240_000);

  it('odd urls', async () => {
    for (const p of ['/v1/models/%zz', '/v1/models/' + 'x'.repeat(400), '/v1/models/%00', '/api/v1/usage/lines?limit=abc', '/api/v1/usage?from=%00', '/api/v1/decisions/dec_%00', '/api/v1/decisions/dec_0', '/api/v1/usage/lines?requestId=%00', '/api/v1/usage/lines?cursor=abc', '/api/v1/usage/lines?requestId[]=a', '//v1/models', '/v1/models/a%2Fb', '/api/v1/catalog/models?cursor=%00', '/api/v1/keys?cursor=%00']) {
      const r = await app.call('GET', p);
      log('URL', p.slice(0, 60), r.status, r.text.slice(0, 120));
    }
    for (const m of ['PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) { try { const r = await app.call(m, '/v1/chat/completions'); log('METHOD', m, r.status, r.text.slice(0, 100)); } catch (e) { log('METHOD', m, String(e)); } }
  });
});

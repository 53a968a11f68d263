import type OpenAI from 'openai';
import { startApp, type TestApp } from '../support/app';
import * as anthropic from '../support/contract/anthropic.goldens';
import { type GoldenAnswer, GoldenUpstream } from '../support/contract/golden-upstream';
import * as google from '../support/contract/google.goldens';
import { readSse } from '../support/sse';

const SIGNATURE = 'c2lnbmVk';
const user = { role: 'user', content: 'go' } as const;
const MINE = { type: 'function', function: { name: 'mine', parameters: { type: 'object', properties: {} } } };

/** Both asked for in one round: the client's own call, then a server-side one. */
const THINKING = { type: 'thinking', thinking: 'Both.', signature: SIGNATURE };
const USES = [
  { type: 'tool_use', id: 'toolu_mine', name: 'mine', input: { of: 'me' } },
  { type: 'tool_use', id: 'toolu_time', name: 'current_time', input: {} },
];
const PARTS = [
  { functionCall: { id: 'fc_mine', name: 'mine', args: { of: 'me' } }, thoughtSignature: SIGNATURE },
  { functionCall: { id: 'fc_time', name: 'current_time', args: {} } },
];

const anthropicStream = anthropic.sse(
  anthropic.start(),
  ...anthropic.block(
    0,
    { type: 'thinking', thinking: '', signature: '' },
    { type: 'thinking_delta', thinking: 'Both.' },
    { type: 'signature_delta', signature: SIGNATURE },
  ),
  ...USES.flatMap((use, index) =>
    anthropic.block(
      index + 1,
      { ...use, input: {} },
      { type: 'input_json_delta', partial_json: JSON.stringify(use.input) },
    ),
  ),
  ...anthropic.end('tool_use'),
);

interface Turn {
  readonly content?: unknown;
  readonly parts?: unknown;
}

/** A mixed round is put together again before it goes back to the provider that signed its thoughts. */
describe('thoughts behind a round that was the client’s only in part', () => {
  const upstream = new GoldenUpstream();
  let app: TestApp;

  beforeAll(async () => {
    await upstream.start();
    app = await startApp({
      ANTHROPIC_BASE_URL: `${upstream.url}/g/signed`,
      ANTHROPIC_API_KEY: 'k',
      GOOGLE_BASE_URL: `${upstream.url}/g/signed`,
      GOOGLE_API_KEY: 'k',
    });
  });

  afterAll(async () => {
    await app.close();
    await upstream.stop();
  });

  const ask = (model: string, messages: readonly object[], stream: boolean) =>
    fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${app.admin.key}`,
        'content-type': 'application/json',
        'x-lattice-fallback': 'none',
      },
      body: JSON.stringify({
        model,
        messages,
        stream,
        max_tokens: 4000,
        reasoning_effort: 'medium',
        tools: [MINE],
        lattice: { tools: ['current_time'] },
      }),
    });

  /** The one call that the client is shown, of a whole answer or a streamed one. */
  async function shownCall(
    response: Response,
    stream: boolean,
  ): Promise<OpenAI.ChatCompletionMessageToolCall> {
    const chunks = stream
      ? (await readSse(response)).json
      : [(await response.json()) as Record<string, unknown>];
    const calls = chunks.flatMap(({ choices }) =>
      (choices as { message?: Turn; delta?: Turn }[]).flatMap(
        ({ message, delta }) =>
          (message ?? delta) as { tool_calls?: OpenAI.ChatCompletionMessageToolCall[] } | undefined,
      ),
    );
    const shown = calls.flatMap((part) => part?.tool_calls ?? []);
    expect(shown).toHaveLength(1);
    return shown[0] as OpenAI.ChatCompletionMessageToolCall;
  }

  /** Asks, answers the client's call, and gives what the provider was then sent. */
  async function goOn(model: string, first: GoldenAnswer, second: GoldenAnswer, stream: boolean) {
    upstream.serve('signed', first);
    const call = await shownCall(await ask(model, [user], stream), stream);
    upstream.serve('signed', second);
    const result = { role: 'tool', tool_call_id: call.id, content: 'done' };
    const response = await ask(
      model,
      [user, { role: 'assistant', content: null, tool_calls: [call] }, result],
      false,
    );
    expect(response.status).toBe(200);
    return upstream.last.body;
  }

  it.each([
    ['whole', false, anthropic.message([THINKING, ...USES], { stop_reason: 'tool_use' })],
    ['streamed', true, anthropicStream],
  ] as const)('go back to Claude with all calls as it made them: %s', async (_, stream, first) => {
    const body = await goOn(
      'anthropic/claude-sonnet-4-5',
      first,
      anthropic.message([{ type: 'text', text: 'Done.' }]),
      stream,
    );
    const [, turn, results] = body.messages as readonly Turn[];
    expect(body.thinking).toMatchObject({ type: 'enabled' });
    expect(turn?.content).toEqual([THINKING, ...USES]);
    expect(results?.content).toMatchObject([
      { type: 'tool_result', tool_use_id: 'toolu_time' },
      { type: 'tool_result', tool_use_id: 'toolu_mine', content: 'done' },
    ]);
  });

  it.each([
    ['whole', false, google.message(PARTS)],
    ['streamed', true, google.sse(google.event(google.content(PARTS)), google.END)],
  ] as const)('go back to Gemini with the call that they stand behind: %s', async (_, stream, first) => {
    const body = await goOn('google/gemini-3.5-flash', first, google.message([{ text: 'Done.' }]), stream);
    const [, turn, results] = body.contents as readonly Turn[];
    expect(turn?.parts).toEqual(PARTS);
    expect(results?.parts).toMatchObject([
      { functionResponse: { id: 'fc_time', name: 'current_time' } },
      { functionResponse: { id: 'fc_mine', name: 'mine' } },
    ]);
  });
});

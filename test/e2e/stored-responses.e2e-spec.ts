import OpenAI from 'openai';
import type {
  ResponseCreateParamsNonStreaming,
  ResponseIncludable,
} from 'openai/resources/responses/responses';
import { fromApiId } from '../../src/common/index';
import { OldResponses } from '../../src/gateway/responses/old-responses.service';
import { type Account, startApp, type TestApp } from '../support/app';
import {
  type Attempt,
  startTruthProvider,
  type TruthProvider,
} from '../support/truth-provider/truth-provider';

const GPT = 'openai/gpt-4o-mini';
const BODY_LIMIT = 100_000;

type Params = Omit<ResponseCreateParamsNonStreaming, 'stream'>;

const ask = (input: Params['input'], more: Partial<Params> = {}): Params => ({ model: GPT, input, ...more });
const uuid = (id: string): string => fromApiId('resp', id) ?? '';

const failureOf = (call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> =>
  call.then(
    () => {
      throw new Error('It succeeded');
    },
    (failure: unknown) => failure as InstanceType<typeof OpenAI.APIError>,
  );

describe('stored responses', () => {
  let truth: TruthProvider;
  let app: TestApp;
  let client: OpenAI;
  let other: OpenAI;

  const clientOf = ({ key }: Account): OpenAI =>
    new OpenAI({ baseURL: `${app.url}/v1`, apiKey: key, maxRetries: 0 });

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({
      OPENAI_BASE_URL: truth.url,
      BODY_LIMIT_BYTES: String(BODY_LIMIT),
      MAX_MESSAGES: '20',
    });
    client = clientOf(await app.register());
    other = clientOf(await app.register());
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  afterEach(() => truth.clearScripts());

  async function lastAttempt(): Promise<Attempt | undefined> {
    return (await truth.attempts()).at(-1);
  }

  const rowsOf = async (id: string): Promise<unknown[]> =>
    await app.database.query('select * from responses where id = $1', [uuid(id)]);

  async function setAge(id: string, days: number): Promise<void> {
    await app.database.query(
      `update responses set created_at = now() - $2 * interval '1 day' where id = $1`,
      [uuid(id), days],
    );
  }

  /** A table that is not there stands for whatever PostgreSQL may refuse. */
  async function withoutTable<T>(work: () => Promise<T>): Promise<T> {
    await app.database.query('alter table responses rename to responses_away');
    try {
      return await work();
    } finally {
      await app.database.query('alter table responses_away rename to responses');
    }
  }

  describe('previous_response_id', () => {
    it('goes on from a whole conversation, without the instructions of before', async () => {
      for (const answer of ['I am one.', 'I am two.', 'I am three.']) await truth.script({ answer });
      const first = await client.responses.create(ask('One?', { instructions: 'Count.' }));
      const second = await client.responses
        .stream({ ...ask('Two?'), previous_response_id: first.id })
        .finalResponse();
      const third = await client.responses.create(
        ask([{ role: 'user', content: 'Three?' }], {
          previous_response_id: second.id,
          instructions: 'Stop.',
        }),
      );
      expect(third.previous_response_id).toBe(second.id);
      expect((await lastAttempt())?.body.messages).toEqual([
        { role: 'system', content: 'Stop.' },
        { role: 'user', content: 'One?' },
        { role: 'assistant', content: 'I am one.' },
        { role: 'user', content: 'Two?' },
        { role: 'assistant', content: 'I am two.' },
        { role: 'user', content: 'Three?' },
      ]);
      expect(await app.reconcile()).toEqual([]);
    });

    it('lets a conversation branch', async () => {
      const first = await client.responses.create(ask('Root'));
      for (const branch of ['left', 'right']) {
        await client.responses.create(ask(branch, { previous_response_id: first.id }));
        expect((await lastAttempt())?.body.messages).toMatchObject([
          { content: 'Root' },
          { content: first.output_text },
          { content: branch },
        ]);
      }
    });

    it.each(['missing', 'foreign', 'nonsense', 'removed'])(
      'is refused in OpenAI’s words when %s',
      async (kind) => {
        const mine = await client.responses.create(ask('Mine'));
        const ids: Record<string, string> = { foreign: mine.id, nonsense: 'x', removed: mine.id };
        if (kind === 'removed') await client.responses.delete(mine.id);
        const id = ids[kind] ?? 'resp_0192f0c1a2b37c4d8e5f60718293a4b5';
        const asker = kind === 'foreign' ? other : client;
        const before = (await truth.attempts()).length;
        const failure = await failureOf(asker.responses.create(ask('Hi', { previous_response_id: id })));
        expect(failure).toBeInstanceOf(OpenAI.BadRequestError);
        expect(failure).toMatchObject({
          code: 'previous_response_not_found',
          param: 'previous_response_id',
          type: 'invalid_request_error',
          message: expect.stringContaining(`Previous response with id '${id}' not found`),
        });
        expect(await truth.attempts()).toHaveLength(before);
      },
    );

    it('is the owner’s alone: administrators read, and go on from nothing', async () => {
      const mine = await client.responses.create(ask('Mine'));
      expect((await app.openai.responses.retrieve(mine.id)).id).toBe(mine.id);
      const failure = await failureOf(
        app.openai.responses.create(ask('Hi', { previous_response_id: mine.id })),
      );
      expect(failure.code).toBe('previous_response_not_found');
    });

    it('is refused when something in the middle was removed: never a shorter conversation', async () => {
      const first = await client.responses.create(ask('One'));
      const second = await client.responses.create(ask('Two', { previous_response_id: first.id }));
      await client.responses.delete(first.id);
      const failure = await failureOf(
        client.responses.create(ask('Three', { previous_response_id: second.id })),
      );
      expect(failure.code).toBe('previous_response_not_found');
      expect((await client.responses.retrieve(second.id)).output_text).toBe(second.output_text);
    });

    it.each([
      ['items', 'x', 20],
      ['bytes', 'x'.repeat(40_000), 4],
    ])('is bounded as a request is (%s)', async (_, text, turns) => {
      let previous: string | undefined;
      let failure: InstanceType<typeof OpenAI.APIError> | undefined;
      let made = 0;
      while (!failure && made < turns) {
        const call = client.responses.create(ask(text, { previous_response_id: previous }));
        const done = await call.catch((error: unknown) => void (failure = error as typeof failure));
        if (done) previous = done.id;
        made += 1;
      }
      expect([failure?.status, failure?.code]).toEqual([400, 'VALIDATION_FAILED']);
      expect(failure?.param).toMatch(/^(input|previous_response_id)$/);
    });
  });

  describe('item_reference', () => {
    it('stands for an item of a response of the caller', async () => {
      await truth.script({ toolCalls: [{ id: 'call_1', name: 'f', arguments: {} }] });
      const tools = [{ type: 'function' as const, name: 'f', parameters: null, strict: null }];
      const first = await client.responses.create(ask('Call', { tools }));
      const id = first.output[0]?.id ?? '';
      const [question] = (await client.responses.inputItems.list(first.id)).data;
      const input = [
        { type: 'item_reference' as const, id: question?.id ?? '' },
        { id },
        { type: 'function_call_output' as const, call_id: 'call_1', output: 'done' },
      ];
      const second = await client.responses.create(ask(input, { tools }));
      const messages = [
        { role: 'user', content: 'Call' },
        { role: 'assistant', tool_calls: [{ id: 'call_1' }] },
        { role: 'tool', content: 'done' },
      ];
      expect((await lastAttempt())?.body.messages).toMatchObject(messages);
      // What is gone on from is the item, not its name.
      await client.responses.delete(first.id);
      await client.responses.create(ask('More', { previous_response_id: second.id }));
      const sent = (await lastAttempt())?.body.messages as unknown[];
      expect(sent.slice(0, 3)).toMatchObject(messages);
      for (const asker of [client, other]) {
        const failure = await failureOf(asker.responses.create(ask(input)));
        expect([failure.status, failure.param]).toEqual([400, 'input[0].id']);
      }
    });

    it('counts as an item before anybody looks for what it names', async () => {
      const input = Array.from({ length: 21 }, (_, index) => ({
        type: 'item_reference' as const,
        id: `msg_0192f0c1a2b37c4d8e5f60718293a4b5${String(index).padStart(4, '0')}`,
      }));
      const failure = await failureOf(client.responses.create(ask(input)));
      expect(failure).toMatchObject({ status: 400, param: 'input' });
      expect(failure.message).toContain('input has 21 items; at most 20 are allowed');
    });

    it('of another owner is as good as none', async () => {
      const mine = await client.responses.create(ask('Mine'));
      const failure = await failureOf(
        other.responses.create(ask([{ type: 'item_reference', id: mine.output[0]?.id ?? '' }])),
      );
      expect([failure.status, failure.param]).toEqual([400, 'input[0].id']);
    });
  });

  describe('store', () => {
    it('false keeps nothing, and costs no statement', async () => {
      const { data, response } = await withoutTable(() =>
        client.responses.create(ask('Hi', { store: false })).withResponse(),
      );
      expect([data.status, (data as { store?: boolean }).store]).toEqual(['completed', false]);
      expect(response.headers.get('x-lattice-warnings') ?? '').not.toContain('not stored');
      expect(await rowsOf(data.id)).toEqual([]);
      const failure = await failureOf(client.responses.create(ask('Hi', { previous_response_id: data.id })));
      expect(failure.code).toBe('previous_response_not_found');
    });

    it('that fails takes no answer away, and is said', async () => {
      const { data, response } = await withoutTable(() => client.responses.create(ask('Hi')).withResponse());
      expect(data).toMatchObject({ status: 'completed', store: false });
      expect(response.headers.get('x-lattice-warnings')).toContain('the response was not stored');
      const streamed = await withoutTable(() => client.responses.stream(ask('Hi')).finalResponse());
      expect(streamed).toMatchObject({
        status: 'completed',
        store: false,
        lattice: { warnings: expect.arrayContaining([expect.stringContaining('not stored')]) as string[] },
      });
      expect(await app.reconcile()).toEqual([]);
    });

    it('refuses what no request could hold, and says it', async () => {
      await truth.script({ answer: 'word '.repeat(BODY_LIMIT / 4), usage: { completionTokens: 10 } });
      const { data, response } = await client.responses.create(ask('Hi')).withResponse();
      expect(data).toMatchObject({ store: false });
      expect(response.headers.get('x-lattice-warnings')).toContain('it is too large');
      expect(await rowsOf(data.id)).toEqual([]);
    });

    it('keeps no prompt in the clear', async () => {
      const { id } = await client.responses.create(
        ask('A very secret prompt', { instructions: 'A very secret instruction' }),
      );
      const [row] = (await rowsOf(id)) as { turn: Buffer; answer: Buffer }[];
      const bytes = Buffer.concat([row?.turn ?? Buffer.alloc(0), row?.answer ?? Buffer.alloc(0)]);
      expect(bytes.length).toBeGreaterThan(100);
      expect(bytes.toString('latin1')).not.toContain('secret');
    });
  });

  describe('GET and DELETE', () => {
    it('give a response as it was answered, until it is removed', async () => {
      const made = await client.responses.create(ask('Hi', { metadata: { a: 'b' } }));
      const kept = await client.responses.retrieve(made.id);
      expect(kept).toEqual(made);
      await client.responses.delete(made.id);
      expect(await failureOf(client.responses.retrieve(made.id))).toBeInstanceOf(OpenAI.NotFoundError);
      expect(await failureOf(client.responses.delete(made.id))).toBeInstanceOf(OpenAI.NotFoundError);
    });

    it('do not reach another owner’s', async () => {
      const made = await client.responses.create(ask('Hi'));
      for (const call of [
        other.responses.retrieve(made.id),
        other.responses.delete(made.id),
        other.responses.inputItems.list(made.id),
      ]) {
        expect(await failureOf(Promise.resolve(call))).toBeInstanceOf(OpenAI.NotFoundError);
      }
      expect((await client.responses.retrieve(made.id)).id).toBe(made.id);
    });

    it('take what a client wants to be included, in the ways that clients write it', async () => {
      const made = await client.responses.create(ask('Hi'));
      const both: ResponseIncludable[] = ['message.input_image.image_url', 'reasoning.encrypted_content'];
      for (const include of [both.slice(1), both]) {
        expect(await client.responses.retrieve(made.id, { include })).toEqual(made);
        const { data } = await client.responses.inputItems.list(made.id, { include, limit: 1 });
        expect(data).toHaveLength(1);
      }
      const plain = await app.call('GET', `/v1/responses/${made.id}?include=${both[0] ?? ''}`);
      expect(plain.status).toBe(200);
      for (const name of ['include', 'include[]']) {
        const wrong = await app.call('GET', `/v1/responses/${made.id}?${name}=nonsense`);
        expect([wrong.status, wrong.body]).toMatchObject([400, { error: { param: name } }]);
      }
    });

    it('refuse to replay events that are not kept', async () => {
      const made = await client.responses.create(ask('Hi'));
      const failure = await failureOf(client.responses.retrieve(made.id, { stream: true }));
      expect([failure.status, failure.param]).toEqual([400, 'stream']);
    });
  });

  describe('input_items', () => {
    it('lists what the request added, newest first, page by page', async () => {
      const first = await client.responses.create(ask('Before'));
      const texts = ['one', 'two', 'three'];
      const made = await client.responses.create(
        ask(
          texts.map((content) => ({ role: 'user' as const, content })),
          { previous_response_id: first.id },
        ),
      );
      const seen: unknown[] = [];
      for await (const item of client.responses.inputItems.list(made.id, { limit: 2 })) seen.push(item);
      expect(seen).toMatchObject([{ content: 'three' }, { content: 'two' }, { content: 'one' }]);
      expect(new Set(seen.map((item) => (item as { id: string }).id)).size).toBe(3);
      const page = await app.call('GET', `/v1/responses/${made.id}/input_items?order=asc&limit=1`);
      expect(page.body).toMatchObject({ object: 'list', has_more: true, data: [{ content: 'one' }] });
      const wrong = await app.call('GET', `/v1/responses/${made.id}/input_items?after=msg_x`);
      expect(wrong.body).toMatchObject({ error: { param: 'after' } });
      const [text] = (await client.responses.inputItems.list(first.id)).data;
      expect(text).toMatchObject({
        type: 'message',
        role: 'user',
        content: [{ type: 'input_text', text: 'Before' }],
      });
    });
  });

  describe(OldResponses.name, () => {
    it('removes what is older than 30 days, but nothing that a younger one goes on from', async () => {
      const old = await client.responses.create(ask('Old'));
      const oldToo = await client.responses.create(ask('Old too', { previous_response_id: old.id }));
      const first = await client.responses.create(ask('First'));
      const young = await client.responses.create(ask('Young', { previous_response_id: first.id }));
      for (const { id } of [old, oldToo, first]) await setAge(id, 31);
      await app.app.get(OldResponses).run();
      const kept = await Promise.all(
        [old, oldToo, first, young].map(async ({ id }) => (await rowsOf(id)).length),
      );
      expect(kept).toEqual([0, 0, 1, 1]);
      await client.responses.create(ask('Go on', { previous_response_id: young.id }));
      expect((await lastAttempt())?.body.messages).toHaveLength(5);
    });
  });
});

/** Every adapter that embeds, against the same cases; what the upstream received is asserted too. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ModelTimeouts } from '../../src/catalog/index';
import { type EmbedCall, type ProviderAdapter, ProviderError } from '../../src/providers/index';
import { checkSignature } from '../support/contract/aws-signature';
import { catalogModel, PATIENT } from '../support/contract/catalog-model';
import {
  AWS,
  EMBED_KEY,
  EMBED_REQUEST_ID,
  EMBEDDING_ROWS,
  type EmbeddingRow,
  TEXTS,
  VECTORS,
} from '../support/contract/embedding-cases';
import { type GoldenAnswer, GoldenUpstream } from '../support/contract/golden-upstream';

const HURRIED_MS = 60;
const REQUEST_ID = 'req_0123456789abcdef0123456789abcdef';

describe.each(EMBEDDING_ROWS.map((row) => [row.name, row] as const))('embed by %s', (_, row) => {
  const upstream = new GoldenUpstream();
  const adapters: ProviderAdapter[] = [];

  beforeAll(() => upstream.start());
  afterAll(() => upstream.stop());
  beforeEach(() => upstream.reset());
  afterEach(async () => {
    for (const adapter of adapters.splice(0)) await adapter.close?.();
  });

  const at = (baseUrl: string): ProviderAdapter => {
    const adapter = row.create(baseUrl);
    adapters.push(adapter);
    return adapter;
  };
  const embed = (answer: GoldenAnswer, call: EmbedCall = callOf(row)) => {
    const { embed: run } = bound(at(upstream.serve('embed', answer)));
    return run(call);
  };
  const failureOf = async (answer: GoldenAnswer, call?: EmbedCall): Promise<ProviderError> => {
    const error = await embed(answer, call).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProviderError);
    return error as ProviderError;
  };

  it('gives the vectors in the order of the inputs, with the tokens and the request id', async () => {
    const { vectors, report } = await embed(row.ok);

    expect(vectors).toEqual(VECTORS.slice(0, row.batch));
    expect(report).toMatchObject({
      usage: { promptTokens: row.promptTokens, completionTokens: 0 },
      upstreamRequestId: EMBED_REQUEST_ID,
      warnings: [],
    });
    expect(report.modelServed).toBe(row.modelServed);
    expect(upstream.received).toHaveLength(1);
    const { method, path, headers, body } = upstream.last;
    expect({ method, path }).toEqual({ method: 'POST', path: row.path });
    expect(body).toEqual(row.plainBody);
    expect(headers['content-type']).toBe('application/json');
    expect(headers['x-request-id']).toBe(REQUEST_ID);
    if (row.credential) expect(String(headers[row.credential[0]]).startsWith(row.credential[1])).toBe(true);
  });

  it('asks for dimensions and says what the texts are for, and warns of what is not known there', async () => {
    const { report } = await embed(
      row.ok,
      callOf(row, { dimensions: 256, inputType: 'query', user: 'ada', extra: { rare: 1 } }),
    );

    expect(upstream.last.body).toEqual(row.fullBody);
    expect(report.warnings.map((warning) => warning.split(':')[0])).toEqual(row.warnings);
  });

  it.each([
    ['badRequest', 'invalid_request', 'final', undefined],
    ['unauthorized', 'rejected', 'fallover', undefined],
    ['rateLimited', 'rate_limited', 'retry', 2000],
  ] as const)('tells %s as %s, unbilled', async (golden, fault, failure, retryAfterMs) => {
    const error = await failureOf(row[golden]);

    expect(error).toMatchObject({ fault, failure, mayBeBilled: false, provider: row.provider });
    expect(error.retryAfterMs).toBe(retryAfterMs);
    expect(error.upstreamRequestId ?? EMBED_REQUEST_ID).toBe(EMBED_REQUEST_ID);
    expect(upstream.received).toHaveLength(1);
  });

  it('tells a failing server as overloaded and repeats neither text nor key', async () => {
    const text = JSON.stringify({
      message: `cannot embed "${TEXTS[0]}" with ${EMBED_KEY}`,
      error: { message: `cannot embed "${TEXTS[0]} for long" with ${EMBED_KEY}` },
    });
    const error = await failureOf({ status: 503, steps: [text] });

    expect(error).toMatchObject({ fault: 'overloaded', failure: 'retry', mayBeBilled: false });
    expect(error.message).not.toContain('text of the batch');
    expect(error.message).not.toContain(EMBED_KEY);
  });

  it.each([
    ['no JSON', ['<html>']],
    ['no vectors', ['{"object":"list"}']],
    ['vectors that are none', ['{"data":[{"index":0}],"embeddings":[[1,"a"]],"embedding":"x"}']],
  ])('tells an answer with %s as malformed, maybe billed', async (_name, steps) => {
    expect(await failureOf({ steps })).toMatchObject({ fault: 'malformed', mayBeBilled: true });
  });

  it('tells a cut answer as cut, maybe billed', async () => {
    const half = String(row.ok.steps[0]).slice(0, 20);
    const error = await failureOf({ ...row.ok, steps: [half, 'CUT'] });

    expect(error).toMatchObject({ fault: 'cut', failure: 'retry', mayBeBilled: true });
  });

  it('gives up on a silent server by the total timer and closes the socket', async () => {
    const call = callOf(row, {}, { totalMs: HURRIED_MS });
    expect(await failureOf({ steps: ['STALL'] }, call)).toMatchObject({
      fault: 'overdue',
      mayBeBilled: true,
    });
    await upstream.clientClosed();
  });

  it('ends at once when the caller leaves', async () => {
    const controller = new AbortController();
    const failing = failureOf({ steps: ['STALL'] }, callOf(row, { signal: controller.signal }));
    await upstream.arrival();
    controller.abort(new Error('gone'));

    expect(await failing).toMatchObject({ fault: 'aborted', failure: 'final', mayBeBilled: true });
    await upstream.clientClosed();
  });

  it('tells a refused connection as connect, never billed', async () => {
    const { embed: run } = bound(at(await refusingUrl()));
    const error = await run(callOf(row)).catch((reason: unknown) => reason);

    expect(error).toMatchObject({ fault: 'connect', failure: 'retry', mayBeBilled: false });
  });

  if (row.provider === 'bedrock') {
    it('signs the request', async () => {
      await embed(row.ok);
      const prefix = `${new URL(upstream.url).pathname.replace(/\/$/, '')}/g/embed`;
      const { stated, computed } = checkSignature(upstream.last, prefix, AWS.secretAccessKey);
      expect(stated).toBe(computed);
    });
  }
});

describe('embed in OpenAI’s dialect', () => {
  const row = EMBEDDING_ROWS[0] as EmbeddingRow;
  const packing: EmbeddingRow = { ...row, facts: { hasBase64: true } };
  const packed = Buffer.from(new Float32Array([1, 2]).buffer).toString('base64');
  const upstream = new GoldenUpstream();
  let adapter: ProviderAdapter;

  beforeAll(() => upstream.start());
  afterAll(() => upstream.stop());
  afterEach(() => adapter.close?.());

  const embed = (embedding: unknown, call: EmbedCall) => {
    const steps = [JSON.stringify({ data: [{ index: 0, embedding }] })];
    adapter = row.create(upstream.serve('packed', { steps }));
    return bound(adapter).embed(call);
  };

  it('passes on base64 as it comes', async () => {
    const { vectors, report } = await embed(packed, callOf(row, { encoding: 'base64' }));

    expect(vectors).toEqual([packed]);
    expect(report.usage).toEqual({});
    expect(upstream.last.body.encoding_format).toBe('base64');
  });

  it.each([
    ['packed', packed],
    ['as numbers all the same', [1, 2]],
  ])(
    'asks a model that packs for base64, whatever the client wants, and takes it %s',
    async (_, embedding) => {
      const { vectors } = await embed(embedding, callOf(packing, { encoding: 'float' }));

      expect(vectors).toEqual([embedding]);
      expect(upstream.last.body.encoding_format).toBe('base64');
    },
  );

  it.each(['', packed.slice(0, 4)])('tells base64 of no whole numbers (“%s”) as malformed', async (text) => {
    await expect(embed(text, callOf(packing))).rejects.toMatchObject({ fault: 'malformed' });
  });
});

function callOf(
  { provider, upstreamId, facts, batch }: EmbeddingRow,
  more: Partial<EmbedCall> = {},
  timeouts: Partial<ModelTimeouts> = {},
): EmbedCall {
  return {
    model: catalogModel({
      provider,
      upstreamId,
      baseModel: upstreamId,
      embedding: {
        dimensions: 3,
        minDimensions: 1,
        maxBatch: 2048,
        takesTokens: false,
        hasInputTypes: false,
        cutsLongTexts: false,
        hasBase64: false,
        quality: 0.5,
        ...facts,
      },
      timeouts: { ...PATIENT, ...timeouts },
    }),
    inputs: TEXTS.slice(0, batch),
    encoding: 'float',
    extra: {},
    signal: new AbortController().signal,
    requestId: REQUEST_ID,
    ...more,
  };
}

function bound(adapter: ProviderAdapter): { embed: NonNullable<ProviderAdapter['embed']> } {
  return {
    embed: (call) => adapter.embed?.(call) ?? Promise.reject(new Error(`${adapter.provider} does not embed`)),
  };
}

/** An address where nobody listens. */
async function refusingUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

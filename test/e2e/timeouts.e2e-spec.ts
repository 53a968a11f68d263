import { startApp, type TestApp } from '../support/app';
import { catalogFolder } from '../support/catalog/catalog-folder';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

/** Says nothing itself: its provider's timers hold. */
const HURRIED = 'openai/gpt-6-luna';
const SECOND_SELLER = 'azure/gpt-6-luna';
const PATIENT = 'openai/gpt-4o';
const ALONE = { 'x-lattice-fallback': 'none' };
const LIMIT_MS = 250;
const CATALOG = `
providers:
  openai: { timeouts: { firstByteMs: ${LIMIT_MS}, totalMs: ${LIMIT_MS} } }
models:
  - { id: ${PATIENT}, timeouts: { firstByteMs: 60000, totalMs: 60000 } }
`;

interface ErrorBody {
  readonly error?: { readonly code: string; readonly message: string };
}
interface Health {
  readonly models: readonly { readonly model: string; readonly circuit: string }[];
}

describe('timers of models', () => {
  let openai: TruthProvider;
  let azure: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    [openai, azure] = await Promise.all([startTruthProvider(), startTruthProvider()]);
    app = await startApp({
      OPENAI_BASE_URL: openai.url,
      AZURE_BASE_URL: azure.url,
      AZURE_OPENAI_API_KEY: 'k',
      LATTICE_CONFIG_DIR: catalogFolder({ 'own.yaml': CATALOG }),
      BREAKER_FAILURES: '1',
      BREAKER_OPEN_MS: '60000',
    });
  });

  afterAll(async () => {
    await app.close();
    await Promise.all([openai.stop(), azure.stop()]);
  });

  afterEach(async () => {
    await Promise.all([openai.clearScripts(), azure.clearScripts()]);
    expect((await app.call('POST', '/api/v1/providers/openai/reset')).status).toBe(200);
    expect(await app.reconcile()).toEqual([]);
  });

  const ask = (model: string, body: object = {}, headers: Record<string, string> = ALONE) =>
    app.call<ErrorBody>('POST', '/v1/chat/completions', {
      body: { model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20, ...body },
      headers,
    });
  const linesOf = async (headers: Headers) =>
    (await app.lines(headers.get('x-lattice-request-id') ?? '')).map(({ model, outcome, usageSource }) => [
      model,
      outcome,
      usageSource,
    ]);
  const circuit = async () => {
    const { body } = await app.call<Health>('GET', '/api/v1/providers/openai/health');
    return body.models.find(({ model }) => model === HURRIED)?.circuit;
  };

  it.each([false, true])('are the provider’s, unless the model has its own (stream: %s)', async (stream) => {
    await openai.script({ times: 'always', delayMs: 2 * LIMIT_MS });
    const hurried = await ask(HURRIED, { stream });
    expect([hurried.status, hurried.body.error?.code]).toEqual([504, 'PROVIDER_TIMEOUT']);
    const patient = await ask(PATIENT, { stream });
    expect([patient.status, patient.headers.get('x-lattice-model')]).toEqual([200, PATIENT]);
  });

  it('end an answer that takes too long: it is bought once, and the model is not taken for ill', async () => {
    await openai.script({ times: 'always', fault: { kind: 'stall' } });
    const before = (await openai.attempts()).length;
    const alone = await ask(HURRIED);
    expect([alone.status, alone.body.error?.code]).toEqual([504, 'PROVIDER_TIMEOUT']);
    expect(alone.headers.get('x-should-retry')).toBe('false');
    expect(await linesOf(alone.headers)).toEqual([[HURRIED, 'timed_out', 'upper_bound']]);
    expect((await openai.attempts()).length - before).toBe(1);
    expect(await circuit()).toBe('closed');

    const { headers } = await ask(HURRIED, {}, {});
    expect(await linesOf(headers)).toEqual([
      [HURRIED, 'timed_out', 'upper_bound'],
      [SECOND_SELLER, 'succeeded', 'provider'],
    ]);
  });

  it('end a stream that does not begin: a model that is left alone by then is not asked again', async () => {
    await openai.script({ times: 'always', fault: { kind: 'stall' } });
    const { status, headers, body } = await ask(HURRIED, { stream: true });
    expect([status, body.error?.code]).toEqual([504, 'PROVIDER_TIMEOUT']);
    expect(headers.get('x-should-retry')).toBeNull();
    expect(await linesOf(headers)).toEqual([[HURRIED, 'timed_out', 'upper_bound']]);
    expect(await circuit()).toBe('open');
  });
});

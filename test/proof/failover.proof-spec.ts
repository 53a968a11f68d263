/**
 * Promise 6 and 4: what one fault at a provider means for the client, and what is booked for it. Two providers sell the
 * same model, cheap first; each fault is met by a JSON request and by a streamed one.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startApp, type TestApp, type UsageLine } from '../support/app';
import {
  ALWAYS,
  ANSWER,
  type Either,
  FAILOVER_CASES,
  type FailoverCase,
} from '../support/proof/failover-cases';
import { reportProof } from '../support/proof-report';
import { parseSse } from '../support/sse';
import {
  type Attempt,
  startTruthProvider,
  type TruthProvider,
} from '../support/truth-provider/truth-provider';

const FIRST = 'openai/gpt-6-luna';
/** Takes one request a minute. */
const LIMITED = 'openai/gpt-5.4-mini';
/** What a provider that does not answer costs this proof in time. */
const TIMEOUTS = '{ connectMs: 2000, firstByteMs: 600, idleMs: 400, totalMs: 1200 }';

const either = (json: string, stream: string): Either => (json === stream ? json : [json, stream]);
const told = (of: Either): string => (typeof of === 'string' ? of : `JSON: ${of[0]}; stream: ${of[1]}`);

/** `a, a, b` as `a (2×), b`. */
function listed(words: readonly string[]): string {
  const runs: { word: string; times: number }[] = [];
  for (const word of words) {
    const last = runs.at(-1);
    if (last?.word === word) last.times += 1;
    else runs.push({ word, times: 1 });
  }
  return runs.map(({ word, times }) => (times > 1 ? `${word} (${times}×)` : word)).join(', ');
}

interface Result {
  readonly sees: string;
  readonly booked: string;
}

describe('faults at a provider', () => {
  let providers: Readonly<Record<'openai' | 'azure', TruthProvider>>;
  let app: TestApp;
  /** Leaves a model alone after one failure, where the other one tries on. */
  let wary: TestApp;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lattice-failover-'));
    mkdirSync(path.join(folder, 'catalog'));
    writeFileSync(
      path.join(folder, 'catalog', 'impatient.yaml'),
      `models:\n  - { id: ${FIRST}, timeouts: ${TIMEOUTS} }\n` +
        `  - { id: ${LIMITED}, capacity: { requestsPerMinute: 1, queueMs: 0 } }\n`,
    );
    const [openai, azure] = await Promise.all([startTruthProvider(), startTruthProvider()]);
    providers = { openai, azure };
    const env = {
      OPENAI_BASE_URL: openai.url,
      AZURE_BASE_URL: azure.url,
      AZURE_OPENAI_API_KEY: 'k',
      LATTICE_CONFIG_DIR: folder,
    };
    app = await startApp(env);
    wary = await startApp({
      ...env,
      BREAKER_FAILURES: '1',
      BREAKER_OPEN_MS: '600000',
      BREAKER_MAX_OPEN_MS: '600000',
    });
  });

  afterAll(async () => {
    await Promise.all([app.close(), wary.close()]);
    await Promise.all([providers.openai.stop(), providers.azure.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(FAILOVER_CASES)('$name', async (fault) => {
    const json = await met(fault, false);
    const stream = await met(fault, true);
    const sees = either(json.sees, stream.sees);
    const booked = either(json.booked, stream.booked);
    expect({ sees, booked }).toEqual({ sees: fault.sees, booked: fault.booked });
    expect(await serviceOf(fault).reconcile()).toEqual([]);
    reportProof(9, { [fault.name]: [told(sees), told(booked)] });
  });

  const serviceOf = ({ earlier }: FailoverCase): TestApp => (earlier === 'breaker' ? wary : app);

  const ask = (service: TestApp, body: object, headers: Record<string, string> = {}) =>
    fetch(`${service.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${service.admin.key}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Count' }], max_tokens: 40, ...body }),
    });

  /** One request that fails, or takes the place of a minute. Once is enough, and a second one changes nothing. */
  async function prepare(fault: FailoverCase): Promise<string> {
    const { openai } = providers;
    if (fault.earlier === undefined) return FIRST;
    const model = fault.earlier === 'capacity' ? LIMITED : FIRST;
    if (fault.earlier === 'breaker') await openai.script({ fault: { kind: 'status', status: 500 } });
    await (await ask(serviceOf(fault), { model }, { 'x-lattice-fallback': 'none' })).text();
    await openai.clearScripts();
    return model;
  }

  async function met(fault: FailoverCase, stream: boolean): Promise<Result> {
    const { first, second = [{ ...ALWAYS, answer: ANSWER }], isDown } = fault;
    const service = serviceOf(fault);
    const { openai, azure } = providers;
    await Promise.all([openai.clearScripts(), azure.clearScripts()]);
    const model = await prepare(fault);
    if (first.length > 0) await openai.script(...first);
    await azure.script(...second);
    const before = [(await openai.attempts()).length, (await azure.attempts()).length];
    if (isDown) await openai.kill('SIGKILL');
    try {
      const response = await ask(service, { model, stream });
      const text = await response.text();
      const lines = await service.lines(
        response.headers.get('x-lattice-request-id') ?? response.headers.get('x-request-id') ?? '',
      );
      const sent = [
        ...(await ended(openai, before[0] ?? 0)).map((attempt) => ({ provider: 'openai', ...attempt })),
        ...(await ended(azure, before[1] ?? 0)).map((attempt) => ({ provider: 'azure', ...attempt })),
      ];
      expectBooksOf(sent, lines, isDown === true);
      return {
        sees: stream ? streamSeen(response, text) : jsonSeen(response, text),
        booked: listed(lines.map(bookedAs)),
      };
    } finally {
      if (isDown) await openai.restart();
    }
  }
});

const ended = async (provider: TruthProvider, from: number): Promise<readonly Attempt[]> =>
  (await provider.waitFor((all) => all.every(({ outcome }) => outcome !== 'open'))).slice(from);

/** One line per attempt, at its provider; figures of the provider are its own, a bound is not below them. */
function expectBooksOf(
  sent: readonly (Attempt & { readonly provider: string })[],
  lines: readonly UsageLine[],
  isDown: boolean,
): void {
  const reached = isDown ? lines.filter(({ provider }) => provider !== 'openai') : lines;
  expect(reached.map(({ provider }) => provider)).toEqual(sent.map(({ provider }) => provider));
  reached.forEach((line, index) => {
    const { promptTokens, completionTokens } = sent[index] as Attempt;
    const truth = [promptTokens, completionTokens];
    const booked = [line.promptTokens ?? 0, line.completionTokens ?? 0];
    if (line.usageSource === 'provider') expect(booked).toEqual(truth);
    else if (line.usageSource === 'upper_bound')
      booked.forEach((tokens, kind) => expect(tokens).toBeGreaterThanOrEqual(truth[kind] ?? 0));
    // What was charged is never $0; a 200 that made no sense may have been charged, for all Lattice can know.
    if (truth.some((tokens) => tokens > 0)) expect(line.costUsd).not.toBe('0');
    else if (line.costUsd !== '0') expect(line.usageSource).toBe('upper_bound');
  });
}

function bookedAs({ provider, outcome, usageSource, costUsd }: UsageLine): string {
  const figure =
    costUsd === '0'
      ? '$0'
      : { provider: 'as charged', upper_bound: 'upper bound', estimated: 'estimated' }[usageSource];
  return `${provider} ${outcome}: ${figure}`;
}

interface Body {
  readonly error?: { readonly code: string };
  readonly choices?: readonly {
    readonly message?: { content?: string };
    readonly delta?: { content?: string };
  }[];
}

function jsonSeen(response: Response, text: string): string {
  const body = JSON.parse(text) as Body;
  if (body.error) return `${response.status} ${body.error.code}${whetherToRetry(response)}`;
  return answered(response, body.choices?.[0]?.message?.content === ANSWER);
}

function streamSeen(response: Response, text: string): string {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return jsonSeen(response, text);
  const events = parseSse(text);
  const bodies = events.filter((event) => event !== '[DONE]').map((event) => JSON.parse(event) as Body);
  const pieces = bodies.flatMap(({ choices }) => choices?.[0]?.delta?.content || []);
  const error = bodies.find((body) => body.error)?.error;
  if (error)
    return `${pieces.length} pieces, then error ${error.code}${events.at(-1) === '[DONE]' ? ' and [DONE]' : ''}`;
  return answered(response, events.at(-1) === '[DONE]' && pieces.join('') === ANSWER);
}

function answered(response: Response, isWhole: boolean): string {
  return `${isWhole ? 'whole' : 'broken'} answer of ${response.headers.get('x-lattice-provider')}`;
}

function whetherToRetry({ headers }: Response): string {
  if (headers.get('x-should-retry') === 'false') return ', not to be retried';
  return headers.has('retry-after') ? ', Retry-After' : '';
}

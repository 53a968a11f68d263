import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import OpenAI from 'openai';
import { DataSource } from 'typeorm';
import { createApp, shutDown } from '../../src/app';
import { type AppConfig, loadConfig } from '../../src/config/index';
import { fromApiId, parseUsd, type RequestContext } from '../../src/common/index';
import {
  BudgetRepository,
  type LedgerDifference,
  type NewBudget,
  Reconciliation,
} from '../../src/ledger/index';
import { createTestDatabase } from './database/test-database';
import { aContext } from './factories';

export interface Account {
  readonly userId: string;
  readonly email: string;
  readonly accessToken: string;
  readonly key: string;
  readonly keyId: string;
}

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: T;
}

export interface TestApp {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly app: NestFastifyApplication;
  readonly config: AppConfig;
  readonly database: DataSource;
  readonly dataDir: string;
  /** The first account: the administrator. */
  readonly admin: Account;
  /** OpenAI's own client, with the administrator's key and no retries. */
  readonly openai: OpenAI;
  register(): Promise<Account>;
  call<T = Record<string, unknown>>(method: string, route: string, options?: CallOptions): Promise<Answer<T>>;
  /** A chat completion with one short message; `more` goes into the body. */
  chat<T = Record<string, unknown>>(key: string, more?: object): Promise<Answer<T>>;
  /** Every usage line of a request, or of all, in the order of attempts. */
  lines(requestId?: string): Promise<UsageLine[]>;
  /** A budget of the account, or of another scope when one is named; total unless a period is named. */
  createBudget(account: Account, limitUsd: string, more?: Partial<NewBudget>): Promise<void>;
  /** What the counters and the lines do not agree on. */
  reconcile(): Promise<readonly LedgerDifference[]>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly credential?: string | null;
  readonly headers?: Record<string, string>;
}

export interface UsageLine {
  readonly requestId: string;
  readonly attempt: number;
  readonly provider: string;
  readonly model: string;
  readonly outcome: string;
  readonly usageSource: string;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedReadTokens: number | null;
  readonly costUsd: string | null;
  readonly disputes: readonly string[];
}

export const PASSWORD = 'correct horse battery staple';
/** What `TestApp.chat` asks, at the mock provider. */
export const CHAT_MODEL = 'openai/gpt-4o-mini';
let accounts = 0;

/** The environment of an application under test: quiet, quick to retry, with no provider of the host's. */
export function testEnv(dataDir: string, env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    LATTICE_ENV: 'test',
    LATTICE_SECRET_KEY: 'a-secret-for-tests-only-0123456789',
    LOG_LEVEL: 'silent',
    RETRY_BASE_DELAY_MS: '5',
    // Faults are scripted one after the other; the tests of the circuit breaker switch it on.
    BREAKER_FAILURES: '0',
    // What was measured would change choices in the middle of a test; those of measuring ask for it.
    ROUTING_MEASURE_MS: '0',
    // Durable work costs every start a quarter of a second; the tests of projects switch it on.
    PROJECT_WORKER: 'off',
    BACKGROUND_TASK_TIMEOUT: '1',
    PORT: '0',
    DATA_DIR: dataDir,
    ...env,
  };
}

/**
 * The whole service in this process, on a port and a database of its own.
 * @param through turns the database's URL into the one the service shall use, such as a proxy's
 */
export async function startApp(
  env: NodeJS.ProcessEnv = {},
  through = (databaseUrl: string): Promise<string> => Promise.resolve(databaseUrl),
): Promise<TestApp> {
  const database = await createTestDatabase();
  const dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-test-'));
  const config = loadConfig(testEnv(dataDir, env));
  const app = await createApp(config, await through(database.url));
  await app.listen(0, '127.0.0.1');
  const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  const client = clientOf(url);
  const admin = await client.register();
  return {
    ...client,
    url,
    app,
    config,
    dataDir,
    admin,
    database: app.get(DataSource),
    call: (method, route, options) => client.call(method, route, { credential: admin.key, ...options }),
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: admin.key, maxRetries: 0 }),
    chat: (key, more = {}) =>
      client.call('POST', '/v1/chat/completions', {
        credential: key,
        body: { model: CHAT_MODEL, messages: [{ role: 'user', content: 'Hello' }], ...more },
      }),
    lines: async (requestId) => {
      const query = requestId ? `&requestId=${requestId}` : '';
      const answer = await client.call<{ data: UsageLine[] }>(
        'GET',
        `/api/v1/usage/lines?limit=200${query}`,
        {
          credential: admin.key,
        },
      );
      return answer.body.data.toSorted((left, right) => left.attempt - right.attempt);
    },
    createBudget: async (account, limitUsd, more = {}) => {
      const budgets = app.get(BudgetRepository);
      const budget: NewBudget = {
        scope: 'user',
        scopeId: fromApiId('usr', account.userId),
        period: 'total',
        mode: 'hard',
        limitPicoUsd: parseUsd(limitUsd),
        ...more,
      };
      await app.get(DataSource).transaction(async (manager) => {
        await budgets.create(await budgets.plan(adminContext(admin), budget, manager), manager);
      });
    },
    reconcile: () => app.get(Reconciliation).reconcile(),
    close: async () => {
      await shutDown(app, config);
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export function adminContext(admin: Account): RequestContext {
  return aContext({ principal: { userId: fromApiId('usr', admin.userId) ?? '', role: 'admin' } });
}

/** Talks to a service at `url`, wherever it runs. */
export function clientOf(url: string): Pick<TestApp, 'call' | 'register'> {
  const call = async <T>(method: string, route: string, options: CallOptions = {}): Promise<Answer<T>> => {
    const { body, credential, headers } = options;
    const response = await fetch(`${url}${route}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(credential ? { authorization: `Bearer ${credential}` } : {}),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : {}) as T,
    };
  };
  const register = async (): Promise<Account> => {
    accounts += 1;
    const email = `user-${process.pid}-${accounts}@example.com`;
    const session = await call<{ user: { id: string }; accessToken: string }>(
      'POST',
      '/api/v1/auth/register',
      {
        body: { email, password: PASSWORD, name: 'Ada' },
      },
    );
    const { user, accessToken } = session.body;
    const made = await call<{ id: string; key: string }>('POST', '/api/v1/keys', {
      body: { name: 'test' },
      credential: accessToken,
    });
    return { userId: user.id, email, accessToken, key: made.body.key, keyId: made.body.id };
  };
  return { call, register };
}

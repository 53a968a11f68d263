import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { AuthGuard, AuthModule, OwnershipGuard } from '../../../src/auth/index';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { ErrorFilter, ErrorsModule } from '../../../src/errors/index';
import { attachRequestState, ObservabilityModule, OpenRequests } from '../../../src/observability/index';
import { validationPipe } from '../../../src/validation';
import { AuditModule } from '../../support/audit-module';
import { createTestDatabase } from '../../support/database/test-database';

export const PASSWORD = 'correct horse battery staple';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Account {
  readonly email: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly userId: string;
  readonly role: string;
}

export interface AuthApp {
  readonly app: NestFastifyApplication;
  readonly database: DataSource;
  readonly call: (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    options?: CallOptions,
  ) => Promise<Answer>;
  /** A new account with an address of its own. The first one of a database is the administrator. */
  readonly register: (name?: string) => Promise<Account>;
  readonly createKey: (
    account: Account,
    body?: object,
  ) => Promise<{ id: string; key: string; prefix: string }>;
  readonly close: () => Promise<void>;
}

export interface CallOptions {
  readonly body?: object;
  readonly credential?: string;
  /** Of the client; 127.0.0.1 when left out. */
  readonly from?: string;
}

/** The part of the application that accounts need, on a database. */
@Module({})
class Installation {
  static on(url: string, env: NodeJS.ProcessEnv): DynamicModule {
    const config = loadConfig({
      LATTICE_ENV: 'test',
      LATTICE_SECRET_KEY: 'a-secret-for-tests-only-0123456789',
      LOG_LEVEL: 'silent',
      DATABASE_URL: url,
      ...env,
    });
    return {
      module: Installation,
      imports: [
        ConfigModule.forRoot(config),
        EventEmitterModule.forRoot(),
        ObservabilityModule,
        ErrorsModule,
        DatabaseModule.forRoot(url),
        AuditModule,
        AuthModule,
      ],
      providers: [
        { provide: APP_GUARD, useExisting: AuthGuard },
        { provide: APP_GUARD, useExisting: OwnershipGuard },
      ],
    };
  }
}

/** Boots on a new database, or on the one of `url` as a second node. */
export async function bootAuth(
  env: NodeJS.ProcessEnv = {},
  url?: string,
): Promise<AuthApp & { url: string }> {
  const own = url === undefined ? await createTestDatabase() : undefined;
  const databaseUrl = url ?? own?.url ?? '';
  const module = await Test.createTestingModule({ imports: [Installation.on(databaseUrl, env)] }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  attachRequestState(app.getHttpAdapter().getInstance(), app.get(OpenRequests));
  app.useGlobalFilters(app.get(ErrorFilter));
  app.useGlobalPipes(validationPipe());
  await app.init();
  const close = async (): Promise<void> => {
    await app.close();
    await own?.drop();
  };
  return { ...client(app), app, database: app.get(DataSource), url: databaseUrl, close };
}

let accounts = 0;

function client(app: NestFastifyApplication): Pick<AuthApp, 'call' | 'register' | 'createKey'> {
  const call: AuthApp['call'] = async (method, url, { body, credential, from } = {}) => {
    const headers = credential === undefined ? {} : { authorization: `Bearer ${credential}` };
    const answer = await app.inject({ method, url, headers, payload: body, remoteAddress: from });
    return {
      status: answer.statusCode,
      body: answer.body ? answer.json() : {},
      headers: answer.headers,
    };
  };
  const register: AuthApp['register'] = async (name = 'Ada') => {
    accounts += 1;
    const email = `user-${accounts}@example.com`;
    const { body } = await call('POST', '/api/v1/auth/register', {
      body: { email, password: PASSWORD, name },
    });
    const { user, accessToken, refreshToken } = body as {
      user: { id: string; role: string };
      accessToken: string;
      refreshToken: string;
    };
    return { email, accessToken, refreshToken, userId: user.id, role: user.role };
  };
  const createKey: AuthApp['createKey'] = async ({ accessToken }, body = { name: 'a key' }) => {
    const answer = await call('POST', '/api/v1/keys', { body, credential: accessToken });
    return answer.body as { id: string; key: string; prefix: string };
  };
  return { call, register, createKey };
}

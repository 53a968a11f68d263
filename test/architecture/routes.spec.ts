import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { AuthGuard, OwnershipGuard } from '../../src/auth/index';
import { RateLimitGuard } from '../../src/budget/index';
import { ErrorBoundaryInterceptor, ErrorFilter } from '../../src/errors/index';
import { DeadlineInterceptor, RetryInterceptor } from '../../src/execution/index';
import { IdempotencyInterceptor } from '../../src/idempotency/index';
import { inspectedModule, routeTable } from '../support/route-table';

describe('routes', () => {
  it('are all classified', async () => {
    const found = await routeTable();
    expect(found.length).toBeGreaterThan(15);
    expect(found.filter((route) => route.routeClass === undefined)).toEqual([]);
  });

  it('are metered where they reach a provider', async () => {
    const metered = (await routeTable()).filter((route) => route.routeClass === 'metered');
    expect(metered.map((route) => route.name).toSorted()).toEqual([
      'AgentExecutionController.execute',
      'ChatController.create',
      'EmbeddingsController.create',
      'MessagesController.create',
      'ResponsesController.create',
    ]);
  });

  it('are public only where that was meant', async () => {
    const open = (await routeTable())
      .filter((route) => route.routeClass === 'public')
      .map((route) => route.name);
    expect(open.toSorted()).toEqual([
      'AuthController.login',
      'AuthController.refresh',
      'AuthController.register',
      'HealthController.live',
      'HealthController.ready',
      'MetricsController.list',
    ]);
  });

  it('count in another way than all others only where that was meant', async () => {
    const special = (await routeTable()).filter((route) => route.counting !== undefined);
    const found = special.map(({ name, counting }) => `${name} ${counting}`);
    expect(found.toSorted()).toEqual([
      'AuthController.login by-address',
      'AuthController.refresh never',
      'HealthController.live never',
      'HealthController.ready never',
      ...['create', 'get', 'list', 'remove', 'update'].map((name) => `LimitsController.${name} unless-admin`),
      'MetricsController.list never',
    ]);
  });
});

describe('the request path', () => {
  it('is filter, three guards, four interceptors, pipe, in this order and nowhere else', () => {
    const path = (inspectedModule.providers ?? []) as { provide: string; useExisting?: unknown }[];
    expect(path.map(({ provide, useExisting }) => [provide, useExisting])).toEqual([
      [APP_FILTER, ErrorFilter],
      [APP_GUARD, AuthGuard],
      [APP_GUARD, RateLimitGuard],
      [APP_GUARD, OwnershipGuard],
      [APP_INTERCEPTOR, ErrorBoundaryInterceptor],
      [APP_INTERCEPTOR, IdempotencyInterceptor],
      [APP_INTERCEPTOR, DeadlineInterceptor],
      [APP_INTERCEPTOR, RetryInterceptor],
      [APP_PIPE, undefined],
    ]);
  });

  it('is the only place that registers global parts', () => {
    const offenders = sources('src').filter(
      (file) =>
        !file.endsWith('app.module.ts') &&
        /APP_(FILTER|GUARD|INTERCEPTOR|PIPE)|useGlobal/.test(readFileSync(file, 'utf8')),
    );
    expect(offenders).toEqual([]);
  });

  it('has one retry loop', () => {
    const callers = sources('src')
      .filter((file) => /\bwithRetry[<(]/.test(readFileSync(file, 'utf8')))
      .map((file) => path.basename(file));
    expect(callers.toSorted()).toEqual(['retry.interceptor.ts', 'retry.policy.ts', 'round-runner.ts']);
  });

  it('has one door to the providers', () => {
    const callers = sources('src')
      .filter((file) => /\.chat(Stream)?\(/.test(readFileSync(file, 'utf8')))
      .map((file) => path.basename(file));
    expect(callers.filter((file) => file !== 'attempt-runner.ts' && !file.includes('adapter'))).toEqual([]);
  });
});

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(folder, file));
}

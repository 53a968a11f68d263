import 'reflect-metadata';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { METHOD_METADATA } from '@nestjs/common/constants';
import { AppModule } from '../../src/app.module';
import { ROUTE_CLASS, AuthGuard, OwnershipGuard } from '../../src/auth/index';
import { RateLimitGuard } from '../../src/budget/index';
import { loadConfig } from '../../src/config/index';
import { ErrorBoundaryInterceptor, ErrorFilter } from '../../src/errors/index';
import { DeadlineInterceptor, RetryInterceptor } from '../../src/execution/index';
import { IdempotencyInterceptor } from '../../src/idempotency/index';

const config = loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: 'x'.repeat(32) });
const appModule = AppModule.forRoot(config, 'postgresql://127.0.0.1:1/none');

interface Route {
  readonly name: string;
  readonly routeClass: string | undefined;
}

/** Preview mode instantiates nothing, so the container is read as it was scanned. */
interface Inspectable {
  readonly container: { getModules(): Map<string, { controllers: Map<unknown, { metatype: unknown }> }> };
}

async function routes(): Promise<Route[]> {
  const app = await NestFactory.create(appModule, new FastifyAdapter(), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  const { container } = app as unknown as Inspectable;
  const controllers = [...container.getModules().values()].flatMap((module) => [
    ...module.controllers.values(),
  ]);
  return controllers.flatMap(({ metatype }) => {
    const prototype = (metatype as { prototype: Record<string, unknown> }).prototype;
    return Object.getOwnPropertyNames(prototype)
      .map((name) => [name, prototype[name]] as const)
      .filter(([, handler]) => typeof handler === 'function' && Reflect.hasMetadata(METHOD_METADATA, handler))
      .map(([name, handler]) => ({
        name: `${(metatype as { name: string }).name}.${name}`,
        routeClass: (Reflect.getMetadata(ROUTE_CLASS, handler as object) ??
          Reflect.getMetadata(ROUTE_CLASS, metatype as object)) as string | undefined,
      }));
  });
}

describe('routes', () => {
  it('are all classified', async () => {
    const found = await routes();
    expect(found.length).toBeGreaterThan(15);
    expect(found.filter((route) => route.routeClass === undefined)).toEqual([]);
  });

  it('are metered where they reach a provider', async () => {
    const metered = (await routes()).filter((route) => route.routeClass === 'metered');
    expect(metered.map((route) => route.name)).toEqual(['ChatController.create']);
  });

  it('are public only where that was meant', async () => {
    const open = (await routes()).filter((route) => route.routeClass === 'public').map((route) => route.name);
    expect(open.toSorted()).toEqual([
      'AuthController.login',
      'AuthController.refresh',
      'AuthController.register',
      'HealthController.live',
      'HealthController.ready',
      'MetricsController.list',
    ]);
  });
});

describe('the request path', () => {
  it('is filter, three guards, four interceptors, pipe, in this order and nowhere else', () => {
    const path = (appModule.providers ?? []) as { provide: string; useExisting?: unknown }[];
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

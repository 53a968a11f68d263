import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from '../../src/app.module';
import { COUNTING, ROUTE_CLASS } from '../../src/auth/index';
import { loadConfig } from '../../src/config/index';

export interface Route {
  /** `ChatController.create` */
  readonly name: string;
  /** `POST` */
  readonly method: string;
  /** `/api/v1/keys/{id}`, as OpenAPI writes it. */
  readonly path: string;
  readonly routeClass: string | undefined;
  /** As `@Counted` says. */
  readonly counting: string | undefined;
}

export const testConfig = loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: 'x'.repeat(32) });

/** The root module as the service builds it, for reading only: its database is nowhere. */
export const inspectedModule = AppModule.forRoot(testConfig, 'postgresql://127.0.0.1:1/none');

/** Preview mode instantiates nothing, so the container is read as it was scanned. */
interface Inspectable {
  readonly container: { getModules(): Map<string, { controllers: Map<unknown, { metatype: unknown }> }> };
}

/** Every route of the product, with how it is classified. */
export async function routeTable(): Promise<readonly Route[]> {
  const app = await NestFactory.create(inspectedModule, new FastifyAdapter(), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  const { container } = app as unknown as Inspectable;
  const controllers = [...container.getModules().values()].flatMap((module) => [
    ...module.controllers.values(),
  ]);
  return controllers.flatMap(({ metatype }) => routesOf(metatype as ControllerClass));
}

type ControllerClass = (new () => unknown) & { readonly prototype: Record<string, object> };

function routesOf(controller: ControllerClass): Route[] {
  const base = Reflect.getMetadata(PATH_METADATA, controller) as string;
  return Object.getOwnPropertyNames(controller.prototype)
    .map((name) => [name, controller.prototype[name]] as const)
    .filter(([, handler]) => typeof handler === 'function' && Reflect.hasMetadata(METHOD_METADATA, handler))
    .map(([name, handler]) => ({
      name: `${controller.name}.${name}`,
      method: RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler as object) as number] as string,
      path: joined(base, Reflect.getMetadata(PATH_METADATA, handler as object) as string),
      routeClass: markOf(ROUTE_CLASS, handler as object, controller),
      counting: markOf(COUNTING, handler as object, controller),
    }));
}

function markOf(mark: string, handler: object, controller: ControllerClass): string | undefined {
  return (Reflect.getMetadata(mark, handler) ?? Reflect.getMetadata(mark, controller)) as string | undefined;
}

function joined(...parts: readonly string[]): string {
  const segments = parts.flatMap((part) => part.split('/')).filter((segment) => segment !== '');
  return `/${segments.map((segment) => segment.replace(/^:(.+)$/, '{$1}')).join('/')}`;
}

/** What the OpenAPI document says of each route, and bodies made of its examples. */
import type { TestApp } from '../../support/app';
import { type Route, routeTable } from '../../support/route-table';

export interface Operation {
  readonly method: string;
  /** `/api/v1/keys/{id}` */
  readonly path: string;
  readonly parameters: readonly string[];
  /** A valid body, made of the schema's examples; undefined where the route takes none. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** The fields that a caller may write. */
  readonly fields: readonly string[];
}

/** An operation and what the source says of it. */
export interface Target extends Operation, Pick<Route, 'routeClass'> {
  /** `GET /api/v1/keys/{id}` */
  readonly key: string;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly example?: unknown;
}

interface RawOperation {
  readonly requestBody?: {
    readonly content?: Readonly<
      Record<string, { schema?: Schema; examples?: Record<string, { value: Record<string, unknown> }> }>
    >;
  };
}

interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** Every operation of the application. @throws Error when document and source do not name the same routes. */
export async function targetsOf(app: TestApp): Promise<readonly Target[]> {
  const document = (await app.call<OpenApiDocument>('GET', '/openapi.json')).body;
  const routes = await routeTable();
  const classes = new Map(routes.map(({ method, path, routeClass }) => [`${method} ${path}`, routeClass]));
  const targets = operationsOf(document).map((operation) => {
    const key = `${operation.method} ${operation.path}`;
    return { ...operation, key, routeClass: classes.get(key) };
  });
  expect(targets.map(({ key }) => key).toSorted()).toEqual([...classes.keys()].toSorted());
  return targets;
}

/** Every operation of the document. */
function operationsOf(document: OpenApiDocument): readonly Operation[] {
  const schemas = new Schemas(document);
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, raw]) => {
      const content = raw.requestBody?.content?.['application/json'];
      const schema = content?.schema && schemas.resolve(content.schema);
      const [example] = Object.values(content?.examples ?? {});
      return {
        method: method.toUpperCase(),
        path,
        parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string),
        body: example?.value ?? (schema && (schemas.exampleOf(schema) as Record<string, unknown>)),
        fields: Object.keys(schema?.properties ?? {}),
      };
    }),
  );
}

class Schemas {
  constructor(private readonly document: OpenApiDocument) {}

  resolve(schema: Schema): Schema {
    if (schema.$ref) return this.resolve(this.named(schema.$ref));
    if (!schema.allOf) return schema;
    const parts = schema.allOf.map((part) => this.resolve(part));
    return {
      ...schema,
      properties: Object.assign({}, ...parts.map(({ properties }) => properties)) as Schema['properties'],
    };
  }

  exampleOf(given: Schema): unknown {
    const schema = this.resolve(given);
    if (schema.example !== undefined) return schema.example;
    if (schema.default !== undefined) return schema.default;
    if (schema.enum) return schema.enum[0];
    if (schema.properties) {
      const known = Object.entries(schema.properties)
        .map(([name, property]) => [name, this.exampleOf(property)] as const)
        .filter(([, value]) => value !== undefined);
      return Object.fromEntries(known);
    }
    if (schema.type === 'array' && schema.items) {
      const item = this.exampleOf(schema.items);
      return item === undefined ? undefined : [item];
    }
    return undefined;
  }

  private named(ref: string): Schema {
    const schema = this.document.components.schemas[ref.slice('#/components/schemas/'.length)];
    if (!schema) throw new Error(`The document has no ${ref}`);
    return schema;
  }
}

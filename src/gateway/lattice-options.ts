import {
  CACHING_OPTIONS,
  type CachingOption,
  isJsonObject,
  type JsonValue,
  type LatticeOptions,
} from '../common/index';
import { invalid } from './invalid';

/** Request headers by lower-case name. */
export type LatticeHeaders = Readonly<Record<string, string | string[] | undefined>>;

const FIELDS = new Set(['tools', 'taskType', 'fallback', 'models', 'useDirect', 'cache']);
const FALLBACKS = new Set(['any', 'none', 'same-model']);
const MAX_MODELS = 6;
const MAX_NAME_LENGTH = 200;
const NONE: LatticeOptions = Object.freeze({ tools: [] });

/**
 * Lattice's own options, from the body's `lattice` object, OpenRouter's `models` list and the `x-lattice-*` headers;
 * a header wins over the body.
 * @throws ValidationError naming the field or header.
 */
export function latticeOptions(
  lattice: JsonValue | undefined,
  models: JsonValue | undefined,
  headers: LatticeHeaders,
): LatticeOptions {
  const taskHeader = headers['x-lattice-task-type'];
  const fallbackHeader = headers['x-lattice-fallback'];
  const directHeader = headers['x-lattice-use-direct'];
  const cacheHeader = headers['x-lattice-cache'];
  if (
    lattice === undefined &&
    models === undefined &&
    taskHeader === undefined &&
    fallbackHeader === undefined &&
    directHeader === undefined &&
    cacheHeader === undefined
  )
    return NONE;
  const own = ownOptions(lattice);
  const fallback = text(fallbackHeader, 'x-lattice-fallback') ?? own.fallback;
  if (fallback !== undefined && !FALLBACKS.has(fallback)) {
    invalid(
      fallbackHeader === undefined ? 'lattice.fallback' : 'x-lattice-fallback',
      'must be any, none or same-model',
    );
  }
  return Object.freeze({
    tools: own.tools ?? [],
    taskType: text(taskHeader, 'x-lattice-task-type') ?? own.taskType,
    fallback: fallback as LatticeOptions['fallback'],
    models: models === undefined ? own.models : names(models, 'models', MAX_MODELS),
    useDirect: directHeader === undefined ? own.useDirect : flagOf(directHeader),
    cache: cacheHeader === undefined ? own.cache : caching(cacheHeader, 'x-lattice-cache'),
  });
}

function caching(value: unknown, field: string): CachingOption {
  const known = CACHING_OPTIONS.find((option) => option === value);
  return known ?? invalid(field, 'must be on, off or refresh');
}

function flagOf(header: string | string[]): boolean {
  if (header !== 'true' && header !== 'false') invalid('x-lattice-use-direct', 'must be true or false');
  return header === 'true';
}

interface OwnOptions {
  readonly tools?: readonly string[];
  readonly taskType?: string;
  readonly fallback?: string;
  readonly models?: readonly string[];
  readonly useDirect?: boolean;
  readonly cache?: CachingOption;
}

function ownOptions(lattice: JsonValue | undefined): OwnOptions {
  if (lattice === undefined) return {};
  if (!isJsonObject(lattice)) invalid('lattice', 'must be an object');
  for (const field of Object.keys(lattice)) {
    if (!FIELDS.has(field))
      invalid(
        `lattice.${field.slice(0, MAX_NAME_LENGTH)}`,
        `is not known; known are ${[...FIELDS].join(', ')}`,
      );
  }
  const { tools, taskType, fallback, models, useDirect, cache } = lattice;
  if (useDirect !== undefined && typeof useDirect !== 'boolean') {
    invalid('lattice.useDirect', 'must be true or false');
  }
  return {
    tools: tools === undefined ? undefined : names(tools, 'lattice.tools', 64),
    taskType: text(taskType, 'lattice.taskType'),
    fallback: text(fallback, 'lattice.fallback'),
    models: models === undefined ? undefined : names(models, 'lattice.models', MAX_MODELS),
    useDirect,
    cache: cache === undefined ? undefined : caching(cache, 'lattice.cache'),
  };
}

function names(value: unknown, field: string, max: number): readonly string[] {
  if (
    !Array.isArray(value) ||
    value.length > max ||
    !value.every((name) => typeof name === 'string' && name !== '' && name.length <= MAX_NAME_LENGTH)
  ) {
    invalid(field, `must be a list of at most ${max} names`);
  }
  return value as readonly string[];
}

function text(value: unknown, field: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '') invalid(field, 'must be a string');
  return value;
}

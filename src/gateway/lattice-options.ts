import { isJsonObject, type JsonValue, type LatticeOptions } from '../common/index';
import { invalid } from './invalid';

/** Request headers by lower-case name. */
export type LatticeHeaders = Readonly<Record<string, string | string[] | undefined>>;

const FIELDS = new Set(['tools', 'taskType', 'fallback', 'models']);
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
  if (
    lattice === undefined &&
    models === undefined &&
    taskHeader === undefined &&
    fallbackHeader === undefined
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
  });
}

interface OwnOptions {
  readonly tools?: readonly string[];
  readonly taskType?: string;
  readonly fallback?: string;
  readonly models?: readonly string[];
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
  const { tools, taskType, fallback, models } = lattice;
  return {
    tools: tools === undefined ? undefined : names(tools, 'lattice.tools', 64),
    taskType: text(taskType, 'lattice.taskType'),
    fallback: text(fallback, 'lattice.fallback'),
    models: models === undefined ? undefined : names(models, 'lattice.models', MAX_MODELS),
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

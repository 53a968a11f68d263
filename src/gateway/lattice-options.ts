import {
  CACHING_OPTIONS,
  type CachingOption,
  isJsonObject,
  type JsonValue,
  type LatticeOptions,
  MAX_ANSWER_WORTH_USD,
} from '../common/index';
import { invalid } from './invalid';

/** Request headers by lower-case name. */
export type LatticeHeaders = Readonly<Record<string, string | string[] | undefined>>;

const FIELDS = new Set([
  'tools',
  'taskType',
  'fallback',
  'models',
  'useDirect',
  'cache',
  'quality',
  'answerWorthUsd',
]);
const HEADERS = [
  'x-lattice-task-type',
  'x-lattice-fallback',
  'x-lattice-use-direct',
  'x-lattice-cache',
  'x-lattice-quality',
  'x-lattice-answer-worth',
];
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
  const qualityHeader = headers['x-lattice-quality'];
  const worthHeader = headers['x-lattice-answer-worth'];
  if (lattice === undefined && models === undefined && HEADERS.every((name) => headers[name] === undefined))
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
    quality:
      qualityHeader === undefined ? own.quality : quality(numberOf(qualityHeader), 'x-lattice-quality'),
    answerWorthUsd:
      worthHeader === undefined ? own.answerWorthUsd : worth(numberOf(worthHeader), 'x-lattice-answer-worth'),
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

/** Numbers as JSON has them; `Number` alone would take "", "0x1" and "1e999" too. */
function numberOf(header: string | string[]): number | undefined {
  const isDecimal = typeof header === 'string' && /^\d*\.?\d+$/.test(header);
  return isDecimal ? Number(header) : undefined;
}

function quality(value: unknown, field: string): number {
  if (typeof value === 'number' && value > 0 && value <= 1) return value;
  return invalid(field, 'must be a number above 0 and at most 1');
}

function worth(value: unknown, field: string): number {
  if (typeof value === 'number' && value > 0 && value <= MAX_ANSWER_WORTH_USD) return value;
  return invalid(field, `must be US dollars above 0 and at most ${MAX_ANSWER_WORTH_USD}`);
}

interface OwnOptions {
  readonly tools?: readonly string[];
  readonly taskType?: string;
  readonly fallback?: string;
  readonly models?: readonly string[];
  readonly useDirect?: boolean;
  readonly cache?: CachingOption;
  readonly quality?: number;
  readonly answerWorthUsd?: number;
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
  const { tools, taskType, fallback, models, useDirect, cache, quality: target, answerWorthUsd } = lattice;
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
    quality: target === undefined ? undefined : quality(target, 'lattice.quality'),
    answerWorthUsd:
      answerWorthUsd === undefined ? undefined : worth(answerWorthUsd, 'lattice.answerWorthUsd'),
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

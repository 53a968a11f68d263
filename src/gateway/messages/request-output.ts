/** How the answer is to be thought out and shaped: `thinking` and `output_config`. */
import { isJsonObject, type JsonObject, type JsonValue, type ResponseFormat } from '../../common/index';
import { invalid } from '../invalid';
import { type Conversion, isAbsent, kindOf, objectAt, onlyFields } from './conversion';

const EFFORTS: readonly unknown[] = ['low', 'medium', 'high', 'xhigh', 'max'];
/** What Anthropic's models do when they think and nothing is said about how much. */
const DEFAULT_EFFORT = 'high';
/** Shares of `max_tokens`; what the Anthropic adapter makes of an effort lies in the middle of each. */
const LOW_SHARE = 0.35;
const MEDIUM_SHARE = 0.65;
const SCHEMA_NAME = 'answer';
const MAX_SCHEMA_DEPTH = 64;

export interface OutputFields {
  readonly reasoning_effort?: string;
  readonly response_format?: ResponseFormat;
}

export function outputFields(raw: JsonObject, conversion: Conversion): OutputFields {
  const config = isAbsent(raw.output_config) ? {} : objectAt(raw.output_config, 'output_config');
  onlyFields(config, ['effort', 'format'], 'output_config');
  const effort = reasoningEffort(raw, config.effort, conversion);
  return {
    ...(effort === undefined ? {} : { reasoning_effort: effort }),
    ...(isAbsent(config.format) ? {} : { response_format: responseFormat(config.format) }),
  };
}

/** Does the caller want to see what the model thinks? */
export function showsThinking({ thinking }: JsonObject): boolean {
  return isJsonObject(thinking) && thinking.type !== 'disabled' && thinking.display !== 'omitted';
}

function reasoningEffort(
  raw: JsonObject,
  effort: JsonValue | undefined,
  conversion: Conversion,
): string | undefined {
  if (!isAbsent(effort) && !EFFORTS.includes(effort)) {
    invalid('output_config.effort', `must be one of ${EFFORTS.join(', ')}`);
  }
  const wanted = thinkingEffort(raw, conversion) ?? DEFAULT_EFFORT;
  const isAsked = !isAbsent(raw.thinking) || !isAbsent(effort);
  if (!isAsked) return undefined;
  if (wanted === 'none') {
    if (!isAbsent(effort)) conversion.warn('output_config.effort was left out: thinking is disabled');
    return wanted;
  }
  return typeof effort === 'string' ? effort : wanted;
}

/** `none` when thinking is disabled, undefined when nothing is said about how much. */
function thinkingEffort(raw: JsonObject, conversion: Conversion): string | undefined {
  if (isAbsent(raw.thinking)) return undefined;
  const thinking = objectAt(raw.thinking, 'thinking');
  onlyFields(thinking, ['type', 'budget_tokens', 'display'], 'thinking');
  switch (kindOf(thinking)) {
    case 'adaptive':
    case 'between_tools':
      return undefined;
    case 'enabled':
      return effortOf(thinking.budget_tokens, Number(raw.max_tokens), conversion);
    case 'disabled':
      return 'none';
    default:
      return invalid('thinking.type', 'must be enabled, disabled, adaptive or between_tools');
  }
}

function effortOf(budget: JsonValue | undefined, maxTokens: number, conversion: Conversion): string {
  if (typeof budget !== 'number' || !Number.isInteger(budget) || budget < 1 || budget >= maxTokens) {
    invalid('thinking.budget_tokens', 'must be a whole number, at least 1 and less than max_tokens');
  }
  const share = budget / maxTokens;
  const effort = share < LOW_SHARE ? 'low' : share < MEDIUM_SHARE ? 'medium' : 'high';
  conversion.warn(`thinking.budget_tokens was taken as the effort ${effort}`);
  return effort;
}

function responseFormat(value: JsonValue): ResponseFormat {
  const format = objectAt(value, 'output_config.format');
  onlyFields(format, ['type', 'schema'], 'output_config.format');
  if (format.type !== 'json_schema') invalid('output_config.format.type', 'must be json_schema');
  const schema = objectAt(format.schema, 'output_config.format.schema');
  return { type: 'json_schema', json_schema: { name: SCHEMA_NAME, schema, strict: isClosed(schema) } };
}

/** OpenAI enforces schemas only in which every object names all its properties as required and allows no others. */
function isClosed(schema: JsonValue | undefined, depth = 0): boolean {
  if (typeof schema !== 'object' || schema === null) return true;
  if (depth > MAX_SCHEMA_DEPTH) return false;
  const isClosedInside = (inner: JsonValue | undefined): boolean => isClosed(inner, depth + 1);
  if (!isJsonObject(schema)) return schema.every(isClosedInside);
  const { properties, required } = schema;
  if (schema.type === 'object' || isJsonObject(properties)) {
    const names = isJsonObject(properties) ? Object.keys(properties) : [];
    const listed: readonly unknown[] = Array.isArray(required) ? required : [];
    if (schema.additionalProperties !== false || !names.every((name) => listed.includes(name))) return false;
  }
  return Object.values(schema).every(isClosedInside);
}

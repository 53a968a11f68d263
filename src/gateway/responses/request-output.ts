/** How the answer is to be thought out and shaped: `reasoning` and `text`. */
import { type JsonObject, type JsonValue, isJsonObject, type ResponseFormat } from '../../common/index';
import { invalid } from '../invalid';
import {
  type Conversion,
  isAbsent,
  kindOf,
  nameAt,
  objectAt,
  onlyFields,
  textAt,
} from '../messages/conversion';

const EFFORTS: readonly unknown[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];
const SUMMARIES: readonly unknown[] = ['auto', 'concise', 'detailed'];
const VERBOSITIES: readonly unknown[] = ['low', 'medium', 'high'];

export interface OutputFields {
  readonly reasoning_effort?: string;
  readonly response_format?: ResponseFormat;
  readonly verbosity?: string;
}

export function outputFields(raw: JsonObject, conversion: Conversion): OutputFields {
  const text = isAbsent(raw.text) ? {} : objectAt(raw.text, 'text');
  onlyFields(text, ['format', 'verbosity'], 'text');
  const { verbosity } = text;
  if (!isAbsent(verbosity) && !VERBOSITIES.includes(verbosity))
    invalid('text.verbosity', `must be one of ${VERBOSITIES.join(', ')}`);
  const effort = reasoningEffort(raw.reasoning, conversion);
  const format = isAbsent(text.format) ? undefined : responseFormat(text.format);
  return {
    ...(effort === undefined ? {} : { reasoning_effort: effort }),
    ...(format === undefined ? {} : { response_format: format }),
    ...(typeof verbosity === 'string' ? { verbosity } : {}),
  };
}

/** Does the caller want to see what the model thinks? */
export function showsSummary({ reasoning }: JsonObject): boolean {
  if (!isJsonObject(reasoning)) return false;
  return !isAbsent(reasoning.summary) || !isAbsent(reasoning.generate_summary);
}

function reasoningEffort(value: JsonValue | undefined, conversion: Conversion): string | undefined {
  if (isAbsent(value)) return undefined;
  const reasoning = objectAt(value, 'reasoning');
  onlyFields(reasoning, ['effort', 'summary', 'generate_summary', 'context', 'mode'], 'reasoning');
  const { effort, context, mode } = reasoning;
  if (!isAbsent(effort) && !EFFORTS.includes(effort))
    invalid('reasoning.effort', `must be one of ${EFFORTS.join(', ')}`);
  for (const field of ['summary', 'generate_summary']) {
    const summary = reasoning[field];
    if (!isAbsent(summary) && !SUMMARIES.includes(summary))
      invalid(`reasoning.${field}`, `must be one of ${SUMMARIES.join(', ')}`);
  }
  if (!isAbsent(context) && context !== 'auto') conversion.warn('reasoning.context was left out');
  if (!isAbsent(mode) && mode !== 'standard')
    invalid('reasoning.mode', 'must be standard: other modes are priced otherwise');
  return typeof effort === 'string' ? effort : undefined;
}

function responseFormat(value: JsonValue): ResponseFormat | undefined {
  const format = objectAt(value, 'text.format');
  switch (kindOf(format)) {
    case 'text':
      return undefined;
    case 'json_object':
      return { type: 'json_object' };
    case 'json_schema':
      return schemaFormat(format);
    default:
      return invalid('text.format.type', 'must be text, json_object or json_schema');
  }
}

function schemaFormat(format: JsonObject): ResponseFormat {
  onlyFields(format, ['type', 'name', 'schema', 'strict', 'description'], 'text.format');
  const { strict, description } = format;
  if (!isAbsent(strict) && typeof strict !== 'boolean')
    invalid('text.format.strict', 'must be true or false');
  return {
    type: 'json_schema',
    json_schema: {
      name: nameAt(format.name, 'text.format.name'),
      schema: objectAt(format.schema, 'text.format.schema'),
      ...(isAbsent(description) ? {} : { description: textAt(description, 'text.format.description') }),
      ...(strict === true ? { strict } : {}),
    },
  };
}

import { isDeepStrictEqual } from 'node:util';
import { type ChatBody, isJsonObject, type JsonValue } from '../../../common/index';

/** Fields of a vendor's own, beside those that every conversion reads. */
export interface OwnFields {
  /** Of the body. */
  readonly ownFields: readonly string[];
  /** Of a message, a part or a tool. */
  readonly partFields: readonly string[];
  /** Of a `file` part, beside its data. */
  readonly fileFields: readonly string[];
}

/** By field: read as a whole, or what is read inside; the elements of a list share one shape. */
export interface Shape {
  readonly [field: string]: typeof READ | Shape;
}

const READ = 'read' as const;
export const READ_FIELDS: Shape = {
  model: READ,
  messages: READ,
  stream: READ,
  stream_options: { include_usage: READ },
  max_tokens: READ,
  max_completion_tokens: READ,
  temperature: READ,
  top_p: READ,
  top_k: READ,
  stop: READ,
  seed: READ,
  presence_penalty: READ,
  frequency_penalty: READ,
  tools: READ,
  tool_choice: READ,
  response_format: {
    type: READ,
    // The name is a label and `strict` how these providers keep to a schema anyway.
    json_schema: { name: READ, description: READ, schema: READ, strict: READ },
  },
  reasoning_effort: READ,
};
const FUNCTION_TOOL: Shape = {
  type: READ,
  function: { name: READ, description: READ, parameters: READ, strict: READ },
};
const PART: Shape = {
  type: READ,
  text: READ,
  refusal: READ,
  image_url: { url: READ },
  input_audio: { data: READ, format: READ },
};
/** What answers tell beside their text; conversations bring it back, and no provider takes it as it stands there. */
const TOLD: Shape = { reasoning_content: READ, reasoning: READ, annotations: READ };
const OF_ROLE: Readonly<Record<string, Shape>> = {
  assistant: { tool_calls: READ, refusal: READ, ...TOLD },
  tool: { tool_call_id: READ, name: READ },
};

/**
 * What a field has when it asks for nothing, by its path. Nobody here stores completions, pads streams or has choices,
 * tiers and lengths of answers, so whoever asks for just that gets it.
 */
const NEUTRAL: Readonly<Record<string, readonly JsonValue[]>> = {
  n: [1],
  logprobs: [false],
  top_logprobs: [0],
  parallel_tool_calls: [true],
  service_tier: ['auto'],
  store: [false],
  verbosity: ['medium'],
  modalities: [['text']],
  'stream_options.include_obfuscation': [false],
  'messages[].content[].image_url.detail': ['auto'],
  // Names that the gateway gives a file without one.
  'messages[].content[].file.filename': ['document.pdf', 'file'],
};

const MAX_NAMED = 24;
const MAX_NAME_LENGTH = 100;

/**
 * One warning for each field that asks for something and that the conversion does not read, whether we know it or not.
 * The field is named as the caller wrote it, with `[]` for the places of a list; beyond 24 the rest is one warning.
 */
export function unreadWarnings(body: ChatBody, modelId: string, own: OwnFields): string[] {
  const fields = unreadFields(body, own);
  const warnings = fields
    .slice(0, MAX_NAMED)
    .map((field) => `${field} is not supported by ${modelId} and was left out`);
  if (fields.length > MAX_NAMED)
    warnings.push(`more fields are not supported by ${modelId} and were left out`);
  return warnings;
}

/** At most one more than are named. */
function unreadFields(body: ChatBody, own: OwnFields): readonly string[] {
  const found = new Set<string>();
  const file = { file_data: READ, ...shapeOf(own.fileFields) };
  const partShape = { ...PART, file, ...shapeOf(own.partFields) };
  collect(body, { ...READ_FIELDS, ...shapeOf(own.ownFields) }, '', found);
  for (const message of body.messages) {
    const shape = { role: READ, content: partShape, ...OF_ROLE[message.role], ...shapeOf(own.partFields) };
    collect(message, shape, 'messages[]', found);
  }
  const toolShape = { ...FUNCTION_TOOL, ...shapeOf(own.partFields) };
  for (const tool of body.tools ?? []) {
    if (tool.type === 'function') collect(tool, toolShape, 'tools[]', found);
  }
  return [...found];
}

function shapeOf(fields: readonly string[]): Shape {
  return Object.fromEntries(fields.map((field) => [field, READ]));
}

function collect(value: JsonValue | undefined, shape: Shape, path: string, found: Set<string>): void {
  if (Array.isArray(value)) {
    for (const element of value as readonly JsonValue[]) collect(element, shape, `${path}[]`, found);
    return;
  }
  if (!isJsonObject(value)) return;
  for (const [field, inner] of Object.entries(value)) {
    const at = path === '' ? field : `${path}.${field}`;
    const known = Object.hasOwn(shape, field) ? shape[field] : undefined;
    if (known !== undefined && known !== READ) collect(inner, known, at, found);
    else if (known === undefined && found.size <= MAX_NAMED && !isNeutral(at, inner)) {
      found.add(at.slice(0, MAX_NAME_LENGTH));
    }
  }
}

function isNeutral(path: string, value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (typeof value === 'object' && Object.keys(value).length === 0) return true;
  return NEUTRAL[path]?.some((neutral) => isDeepStrictEqual(value, neutral)) ?? false;
}

/**
 * Validation of an embeddings body of OpenAI's. Unknown fields are kept for upstreams of that dialect. Written by hand
 * because it runs on every request.
 */
import {
  EMBEDDING_ENCODINGS,
  type EmbeddingEncoding,
  type EmbeddingInput,
  type EmbeddingInputType,
  type EmbeddingRequest,
  type JsonValue,
} from '../../common/index';
import { invalid } from '../invalid';
import { jsonBody } from '../json-body';
import { type LatticeHeaders, latticeOptions } from '../lattice-options';

const MAX_INPUTS = 2048;
const MAX_DIMENSIONS = 100_000;
const MAX_USER_CHARS = 1000;
/** Cohere's names are understood too. */
const INPUT_TYPES: Readonly<Record<string, EmbeddingInputType>> = {
  query: 'query',
  search_query: 'query',
  document: 'document',
  search_document: 'document',
};

/** @throws ValidationError naming the field or header and the rule. */
export function parseEmbeddingRequest(
  raw: unknown,
  headers: LatticeHeaders,
  maxPromptChars: number,
): EmbeddingRequest {
  const {
    model,
    input,
    dimensions,
    encoding_format: encoding,
    input_type: inputType,
    user,
    lattice,
    models,
    stream,
    ...extra
  } = jsonBody(raw);
  if (typeof model !== 'string' || model.trim() === '') {
    invalid('model', 'must name an embedding model, or be "auto"');
  }
  if (stream) invalid('stream', 'does not apply: embeddings come in one piece');
  if (user !== undefined && user !== null && (typeof user !== 'string' || user.length > MAX_USER_CHARS)) {
    invalid('user', `must be a string of at most ${MAX_USER_CHARS} characters`);
  }
  return Object.freeze({
    model,
    inputs: inputsOf(input, maxPromptChars),
    dimensions: dimensionsOf(dimensions),
    encoding: encodingOf(encoding),
    inputType: inputTypeOf(inputType),
    user: user ?? undefined,
    extra,
    ...optionsOf(lattice, models, headers),
  });
}

/** A text, a list of texts, one list of token ids, or a list of such lists. */
function inputsOf(input: JsonValue | undefined, maxChars: number): readonly EmbeddingInput[] {
  if (typeof input === 'string') {
    if (input === '') invalid('input', 'must not be empty');
    return within([input], maxChars);
  }
  if (!Array.isArray(input) || input.length === 0) {
    invalid('input', 'must be a string, a list of strings, or token ids, and must not be empty');
  }
  const items = input as readonly JsonValue[];
  if (typeof items[0] === 'number') return within([tokensOf(items, 'input')], maxChars);
  if (items.length > MAX_INPUTS) {
    invalid('input', `has ${items.length} entries; at most ${MAX_INPUTS} are allowed`);
  }
  const inputs = items.map((item, index) => inputOf(item, `input[${index}]`));
  const isMixed = inputs.some((item) => typeof item !== typeof inputs[0]);
  if (isMixed) invalid('input', 'must hold either texts or lists of token ids, not both');
  return within(inputs, maxChars);
}

function inputOf(item: JsonValue, at: string): EmbeddingInput {
  if (typeof item === 'string') {
    if (item === '') invalid(at, 'must not be empty');
    return item;
  }
  if (!Array.isArray(item)) invalid(at, 'must be a string or a list of token ids');
  return tokensOf(item as readonly JsonValue[], at);
}

function tokensOf(items: readonly JsonValue[], at: string): readonly number[] {
  if (items.length === 0) invalid(at, 'must not be empty');
  const wrong = items.findIndex((item) => !(Number.isSafeInteger(item) && (item as number) >= 0));
  if (wrong >= 0) invalid(`${at}[${wrong}]`, 'must be a token id: an integer of 0 or more');
  return items as readonly number[];
}

function within(inputs: readonly EmbeddingInput[], maxChars: number): readonly EmbeddingInput[] {
  const chars = inputs.reduce((sum, input) => sum + input.length, 0);
  if (chars > maxChars) {
    invalid('input', `holds ${chars} characters or tokens; at most ${maxChars} are allowed`);
  }
  return Object.freeze(inputs);
}

function dimensionsOf(value: JsonValue | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  const isGood =
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_DIMENSIONS;
  if (!isGood) invalid('dimensions', `must be an integer between 1 and ${MAX_DIMENSIONS}`);
  return value;
}

function encodingOf(value: JsonValue | undefined): EmbeddingEncoding {
  if (value === undefined || value === null) return 'float';
  const encoding = EMBEDDING_ENCODINGS.find((known) => known === value);
  return encoding ?? invalid('encoding_format', `must be ${EMBEDDING_ENCODINGS.join(' or ')}`);
}

function inputTypeOf(value: JsonValue | undefined): EmbeddingInputType | undefined {
  if (value === undefined || value === null) return undefined;
  const known =
    typeof value === 'string' && Object.hasOwn(INPUT_TYPES, value) ? INPUT_TYPES[value] : undefined;
  return known ?? invalid('input_type', 'must be query or document');
}

function optionsOf(
  lattice: JsonValue | undefined,
  models: JsonValue | undefined,
  headers: LatticeHeaders,
): Pick<EmbeddingRequest, 'fallback' | 'useDirect' | 'cache'> {
  const options = latticeOptions(lattice, models, headers);
  const { fallback, useDirect, cache } = options;
  if (options.tools.length > 0) invalid('lattice.tools', 'does not apply to embeddings');
  if (options.taskType) invalid('x-lattice-task-type', 'does not apply to embeddings');
  if (options.quality !== undefined) {
    invalid(
      headers['x-lattice-quality'] === undefined ? 'lattice.quality' : 'x-lattice-quality',
      'does not apply to embeddings',
    );
  }
  if (options.answerWorthUsd !== undefined) invalid('lattice.answerWorthUsd', 'does not apply to embeddings');
  if (options.models) {
    invalid('models', 'does not apply: vectors of different models cannot be compared');
  }
  if (fallback === 'any') {
    invalid(
      headers['x-lattice-fallback'] === undefined ? 'lattice.fallback' : 'x-lattice-fallback',
      'must be same-model or none: vectors of different models cannot be compared',
    );
  }
  return { fallback, useDirect, cache };
}

import { countTokens } from './tokens.mjs';
import { playAround } from './play.mjs';
import { playBody } from './play-json.mjs';

const DEFAULT_LENGTH = 8;

/** What the provider charges: the tokens of every text, or the ids that were sent. */
export function countInputTokens(body) {
  return inputsOf(body).reduce((sum, input) => sum + tokensOf(input), 0);
}

/** One list of vectors, with the script's fault. */
export async function playVectors(wire, body, behaviour, promptTokens) {
  const { report } = behaviour.usage ?? {};
  const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens, ...report };
  const length = behaviour.vectorLength ?? body.dimensions ?? DEFAULT_LENGTH;
  const list = {
    object: 'list',
    data: inputsOf(body).map((input, index) => ({
      object: 'embedding',
      index,
      embedding: encoded(vectorOf(input, length), body.encoding_format),
    })),
    model: body.model,
    ...(report === 'omit' ? {} : { usage }),
  };
  const answer = { json: list, tokens: 0, usage: report === 'omit' ? undefined : usage };
  await playAround(wire, behaviour, false, () => playBody(wire, answer, behaviour));
}

function inputsOf({ input }) {
  if (!Array.isArray(input)) return [input];
  return typeof input[0] === 'number' ? [input] : input;
}

function tokensOf(input) {
  return typeof input === 'string' ? countTokens(input) : input.length;
}

/** The first number is the length of the input, the others follow from its characters; all are exact as 32-bit floats. */
function vectorOf(input, length) {
  return Array.from({ length }, (_, index) =>
    index === 0 ? input.length : ((codeAt(input, index) * (index + 1)) % 256) / 256,
  );
}

function codeAt(input, index) {
  return typeof input === 'string' ? input.charCodeAt(index % input.length) : input[index % input.length];
}

function encoded(vector, format) {
  return format === 'base64' ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector;
}

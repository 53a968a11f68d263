import type { CatalogModel } from '../../../catalog/index';
import {
  type ChatBody,
  type ChatTool,
  type FunctionToolCall,
  requestedMaxTokens,
} from '../../../common/index';
import { JsonGenerator } from './json-generator';
import { planSchemaIn, sandboxPlan } from './plan';
import { prose } from './prose';
import { type Reading, toolsToCall } from './reading';
import { SeededRandom } from './seeded-random';
import { pieces } from './tokens';

/** One choice of the answer. */
export interface SandboxChoice {
  /** The text, token by token. */
  readonly pieces: readonly string[];
  readonly toolCalls: readonly FunctionToolCall[];
  readonly finishReason: 'stop' | 'length' | 'tool_calls';
  readonly completionTokens: number;
}

export interface SandboxQuestion {
  readonly model: CatalogModel;
  readonly body: ChatBody;
  readonly reading: Reading;
  /** Makes the ids of tool calls unique per request; nothing else depends on it. */
  readonly requestId: string;
}

const WORDS_OF_SIZE = { small: 40, large: 90, local: 40 } as const;
const RESULT_LENGTH = 300;
const QUOTE_LENGTH = 60;

/** `n` choices; the text depends on model, last user message, tool results and the number of the choice alone. */
export function answer(question: SandboxQuestion): readonly SandboxChoice[] {
  const count = typeof question.body.n === 'number' ? question.body.n : 1;
  return Array.from({ length: count }, (_, index) => choice(question, index));
}

function choice(question: SandboxQuestion, index: number): SandboxChoice {
  const { body, model, reading } = question;
  const random = new SeededRandom(
    [model.upstreamId, reading.asked, ...reading.toolResults, body.seed ?? '', index].join('\n'),
  );
  const tools = toolsToCall(body, reading);
  if (tools.length > 0) return toolChoice(question, tools, random, index);
  return textChoice(untilStop(text(question, random, index), body.stop), limitOf(question));
}

function textChoice(whole: string, maxTokens: number): SandboxChoice {
  const all = pieces(whole);
  const kept = all.slice(0, maxTokens);
  return {
    pieces: kept,
    toolCalls: [],
    finishReason: kept.length < all.length ? 'length' : 'stop',
    completionTokens: kept.length,
  };
}

function toolChoice(
  question: SandboxQuestion,
  tools: readonly ChatTool[],
  random: SeededRandom,
  index: number,
): SandboxChoice {
  const { requestId, body } = question;
  const ids = new SeededRandom(`${requestId}\n${body.messages.length}\n${index}`);
  const toolCalls = tools.map((tool) => toolCall(tool, random, ids));
  const completionTokens = toolCalls.reduce(
    (sum, { function: { name, arguments: args } }) => sum + pieces(name).length + pieces(args).length,
    0,
  );
  const maxTokens = limitOf(question);
  if (completionTokens > maxTokens) {
    return { pieces: [], toolCalls: [], finishReason: 'length', completionTokens: maxTokens };
  }
  return { pieces: [], toolCalls, finishReason: 'tool_calls', completionTokens };
}

function limitOf({ body, model }: SandboxQuestion): number {
  return requestedMaxTokens(body) ?? model.maxOutputTokens;
}

function toolCall(tool: ChatTool, random: SeededRandom, ids: SeededRandom): FunctionToolCall {
  const schema = tool.function?.parameters ?? { type: 'object' };
  const args = new JsonGenerator(schema, { random, requiredOnly: true }).generate();
  const id = Array.from({ length: 24 }, () => ids.below(16).toString(16)).join('');
  return {
    id: `call_${id}`,
    type: 'function',
    function: { name: tool.function?.name ?? '', arguments: JSON.stringify(args) },
  };
}

function text({ body, model, reading }: SandboxQuestion, random: SeededRandom, index: number): string {
  const format = body.response_format;
  const plan = planSchemaIn(format);
  if (plan) return JSON.stringify(sandboxPlan(plan, reading.asked));
  if (format?.type === 'json_schema' && format.json_schema?.schema) {
    const schema = format.json_schema.schema;
    return JSON.stringify(new JsonGenerator(schema, { random, requiredOnly: false }).generate());
  }
  const opening = openingOf(model, reading, index);
  const words = reading.directives.words ?? Math.max(WORDS_OF_SIZE[model.size], opening.split(/\s+/).length);
  const said = prose(opening, words, random);
  return format?.type === 'json_object' ? JSON.stringify({ sandbox: true, answer: said }) : said;
}

function openingOf(model: CatalogModel, { kind, asked, toolResults }: Reading, index: number): string {
  const which = index > 0 ? `, choice ${index + 1}` : '';
  const who = `This is the Lattice sandbox, model ${model.id}${which}.`;
  if (toolResults.length > 0) {
    const results = toolResults.map((result) => shortened(result, RESULT_LENGTH)).join(' / ');
    return `${who} The tool${toolResults.length > 1 ? 's' : ''} answered: ${results}.`;
  }
  return asked ? `${who} You sent ${kind}: “${shortened(asked, QUOTE_LENGTH)}”.` : `${who} You sent ${kind}.`;
}

function shortened(value: string, length: number): string {
  const line = value.replaceAll(/\s+/g, ' ').trim();
  return line.length > length ? `${line.slice(0, length).trimEnd()}…` : line;
}

/** The text up to the first stop sequence, which itself is left out. */
function untilStop(value: string, stop: ChatBody['stop']): string {
  const sequences = typeof stop === 'string' ? [stop] : (stop ?? []);
  const ends = sequences.map((sequence) => (sequence ? value.indexOf(sequence) : -1)).filter((at) => at >= 0);
  return ends.length > 0 ? value.slice(0, Math.min(...ends)) : value;
}

/** Tools and the choice between them, in the chat dialect's shape. */
import type { ChatBody, ChatTool, JsonObject, JsonValue } from '../../common/index';
import { invalid } from '../invalid';
import {
  type Conversion,
  isAbsent,
  kindOf,
  listAt,
  objectAt,
  onlyFields,
  textAt,
} from '../messages/conversion';

const TOOL_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;
const FIELDS = ['type', 'name', 'description', 'parameters', 'strict', 'allowed_callers'];
/** They change how an answer is made, not what it is. */
const HINTS = ['defer_loading', 'output_schema', 'async'];
const CHOICES: readonly unknown[] = ['none', 'auto', 'required'];

type ToolFields = Pick<ChatBody, 'tools' | 'tool_choice'> & { readonly parallel_tool_calls?: boolean };

/** @param hasServerTools Lattice's own tools are enabled, so there is something to choose without the client's. */
export function toolFields(raw: JsonObject, conversion: Conversion, hasServerTools: boolean): ToolFields {
  const all = isAbsent(raw.tools) ? [] : convertTools(raw.tools, conversion);
  const { tools, choice } = isAbsent(raw.tool_choice)
    ? { tools: all, choice: undefined }
    : chosen(raw.tool_choice, all);
  const { parallel_tool_calls: parallel } = raw;
  if (!isAbsent(parallel) && typeof parallel !== 'boolean')
    invalid('parallel_tool_calls', 'must be true or false');
  if (tools.length === 0 && !hasServerTools) {
    if (choice === 'required') invalid('tool_choice', 'is required although there are no tools');
    return {};
  }
  return {
    ...(tools.length > 0 ? { tools } : {}),
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(typeof parallel === 'boolean' ? { parallel_tool_calls: parallel } : {}),
  };
}

function convertTools(value: JsonValue, conversion: Conversion): readonly ChatTool[] {
  const list = listAt(value, 'tools');
  const { maxTools } = conversion.limits;
  if (list.length > maxTools) invalid('tools', `has ${list.length} entries; at most ${maxTools} are allowed`);
  return list.map((tool, index) => {
    const at = `tools[${index}]`;
    return convertTool(objectAt(tool, at), at, conversion);
  });
}

function convertTool(tool: JsonObject, at: string, conversion: Conversion): ChatTool {
  const { name, description, parameters, strict, allowed_callers: callers } = tool;
  const kind = kindOf(tool).slice(0, 100) || 'missing';
  if (kind !== 'function') {
    invalid(
      `${at}.type`,
      `is ${kind}, and only functions can be called here: OpenAI runs its own tools only itself; lattice.tools names ` +
        'those run here',
    );
  }
  onlyFields(tool, [...FIELDS, ...HINTS], at);
  for (const hint of HINTS) {
    const value = tool[hint];
    if (!isAbsent(value) && value !== false) conversion.warn(`${hint} of tools was left out`);
  }
  if (!isAbsent(callers) && !listAt(callers, `${at}.allowed_callers`).every((caller) => caller === 'direct'))
    invalid(`${at}.allowed_callers`, 'must be direct: tools are called by the model only');
  if (typeof name !== 'string' || !TOOL_NAME.test(name))
    invalid(`${at}.name`, 'must be 1 to 128 letters, digits, dots, dashes or underscores');
  if (!isAbsent(strict) && typeof strict !== 'boolean') invalid(`${at}.strict`, 'must be true or false');
  return {
    type: 'function',
    function: {
      name,
      ...(isAbsent(description) ? {} : { description: textAt(description, `${at}.description`) }),
      ...(isAbsent(parameters) ? {} : { parameters: objectAt(parameters, `${at}.parameters`) }),
      ...(strict === true ? { strict } : {}),
    },
  };
}

interface Chosen {
  readonly tools: readonly ChatTool[];
  readonly choice?: JsonValue;
}

/** A choice among some of the tools is one among all when the others are not offered. */
function chosen(value: JsonValue, tools: readonly ChatTool[]): Chosen {
  if (CHOICES.includes(value)) return { tools, choice: value };
  const choice = objectAt(value, 'tool_choice');
  switch (kindOf(choice)) {
    case 'function':
      onlyFields(choice, ['type', 'name'], 'tool_choice');
      return {
        tools,
        choice: { type: 'function', function: { name: toolNamed(choice.name, 'tool_choice.name', tools) } },
      };
    case 'allowed_tools': {
      onlyFields(choice, ['type', 'mode', 'tools'], 'tool_choice');
      if (choice.mode !== 'auto' && choice.mode !== 'required')
        invalid('tool_choice.mode', 'must be auto or required');
      const names = listAt(choice.tools, 'tool_choice.tools').map((tool, index) => {
        const at = `tool_choice.tools[${index}]`;
        return toolNamed(objectAt(tool, at).name, `${at}.name`, tools);
      });
      if (names.length === 0) invalid('tool_choice.tools', 'must name at least one tool');
      return {
        tools: tools.filter((tool) => names.includes(tool.function?.name ?? '')),
        choice: choice.mode,
      };
    }
    default:
      return invalid(
        'tool_choice',
        'must be none, auto, required, or an object of type function or allowed_tools',
      );
  }
}

function toolNamed(name: unknown, at: string, tools: readonly ChatTool[]): string {
  if (typeof name !== 'string' || !tools.some((tool) => tool.function?.name === name))
    invalid(at, 'must be the name of one of the tools');
  return name;
}

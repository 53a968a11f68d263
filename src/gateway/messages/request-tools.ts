/** Tools and the choice between them, in OpenAI's shape. */
import type { ChatBody, ChatTool, JsonObject, JsonValue } from '../../common/index';
import { TOOL_NAME } from '../chat-body';
import { invalid } from '../invalid';
import { type Conversion, isAbsent, listAt, objectAt, onlyFields, textAt } from './conversion';

const FIELDS = ['type', 'name', 'description', 'input_schema', 'strict', 'cache_control', 'allowed_callers'];
/** They change how an answer is made, not what it is. */
const HINTS = ['eager_input_streaming', 'input_examples', 'defer_loading'];

type ToolFields = Pick<ChatBody, 'tools' | 'tool_choice'> & { readonly parallel_tool_calls?: boolean };

/** @param hasServerTools Lattice's own tools are enabled, so there is something to choose without the client's. */
export function toolFields(raw: JsonObject, conversion: Conversion, hasServerTools: boolean): ToolFields {
  const tools = isAbsent(raw.tools) ? [] : convertTools(raw.tools, conversion);
  const choice = isAbsent(raw.tool_choice) ? undefined : objectAt(raw.tool_choice, 'tool_choice');
  if (choice && tools.length === 0 && !hasServerTools) {
    invalid('tool_choice', 'is allowed only together with tools');
  }
  return {
    ...(tools.length > 0 ? { tools } : {}),
    ...(choice ? choiceFields(choice, tools) : {}),
  };
}

function convertTools(value: JsonValue, conversion: Conversion): readonly ChatTool[] {
  const list = listAt(value, 'tools');
  const { maxTools } = conversion.limits;
  if (list.length > maxTools) invalid('tools', `has ${list.length} entries; at most ${maxTools} are allowed`);
  return list.map((tool, index) =>
    convertTool(objectAt(tool, `tools[${index}]`), `tools[${index}]`, conversion),
  );
}

function convertTool(tool: JsonObject, at: string, conversion: Conversion): ChatTool {
  const { type, name, description, strict, allowed_callers: callers } = tool;
  if (!isAbsent(type) && type !== 'custom') {
    invalid(
      `${at}.type`,
      'must be custom: Anthropic runs its own tools only itself; lattice.tools names those run here',
    );
  }
  onlyFields(tool, [...FIELDS, ...HINTS], at);
  for (const hint of HINTS) if (!isAbsent(tool[hint])) conversion.warn(`${hint} of tools was left out`);
  if (
    !isAbsent(callers) &&
    !listAt(callers, `${at}.allowed_callers`).every((caller) => caller === 'direct')
  ) {
    invalid(`${at}.allowed_callers`, 'must be direct: tools are called by the model only');
  }
  if (typeof name !== 'string' || !TOOL_NAME.test(name)) {
    invalid(`${at}.name`, 'must be 1 to 128 letters, digits, dots, dashes or underscores');
  }
  return {
    type: 'function',
    function: {
      name,
      ...(isAbsent(description) ? {} : { description: textAt(description, `${at}.description`) }),
      parameters: objectAt(tool.input_schema, `${at}.input_schema`),
      ...(typeof strict === 'boolean' ? { strict } : {}),
    },
    ...conversion.cacheMark(tool, at),
  };
}

function choiceFields(choice: JsonObject, tools: readonly ChatTool[]): ToolFields {
  onlyFields(choice, ['type', 'name', 'disable_parallel_tool_use'], 'tool_choice');
  return {
    tool_choice: chosen(choice, tools),
    ...(choice.disable_parallel_tool_use === true ? { parallel_tool_calls: false } : {}),
  };
}

function chosen({ type, name }: JsonObject, tools: readonly ChatTool[]): JsonValue {
  if (type === 'auto' || type === 'none') return type;
  if (type === 'any') return 'required';
  if (type !== 'tool') invalid('tool_choice.type', 'must be auto, any, tool or none');
  if (typeof name !== 'string' || !tools.some((tool) => tool.function?.name === name)) {
    invalid('tool_choice.name', 'must be the name of one of the tools');
  }
  return { type: 'function', function: { name } };
}

import type { ChatToolCall, JsonObject } from '../common/index';

interface Fragment {
  readonly choice: number;
  id: string;
  name: string;
  arguments: string;
}

interface CallDelta extends JsonObject {
  readonly index?: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

/**
 * Puts the fragments of streamed tool calls together, for every choice; only the first choice's calls are run. Fragments
 * belong together by their index; a new id under a known index, or without one, begins another call.
 */
export class ToolCallCollector {
  private readonly fragments: Fragment[] = [];
  private readonly open = new Map<string, Fragment>();
  /** Ids that were made up here, by the delta that began the call. */
  private readonly given = new WeakMap<JsonObject, string>();
  private hasGiven = false;

  /** True when an upstream forgot ids and some were made up here. */
  get patched(): boolean {
    return this.hasGiven;
  }

  /** @returns the UTF-8 bytes of arguments added. */
  add(choice: number, deltas: readonly JsonObject[], newId: () => string): number {
    let bytes = 0;
    for (const delta of deltas as readonly CallDelta[]) {
      const fragment = this.fragmentOf(choice, delta, newId);
      const text = delta.function?.arguments;
      if (typeof delta.function?.name === 'string') fragment.name += delta.function.name;
      if (typeof text !== 'string') continue;
      fragment.arguments += text;
      bytes += Buffer.byteLength(text);
    }
    return bytes;
  }

  /** The first choice's calls, whole. */
  list(): readonly ChatToolCall[] {
    return this.fragments
      .filter(({ choice }) => choice === 0)
      .map(({ id, name, arguments: text }) => ({
        id,
        type: 'function',
        function: { name, arguments: text },
      }));
  }

  /** The chunk with the ids that were made up for its calls. */
  withIds(chunk: JsonObject): JsonObject {
    const choices = chunk.choices as unknown as readonly { delta?: { tool_calls?: readonly CallDelta[] } }[];
    return {
      ...chunk,
      choices: choices.map((choice) =>
        choice.delta?.tool_calls
          ? {
              ...choice,
              delta: { ...choice.delta, tool_calls: choice.delta.tool_calls.map((call) => this.named(call)) },
            }
          : choice,
      ),
    } as unknown as JsonObject;
  }

  private fragmentOf(choice: number, delta: CallDelta, newId: () => string): Fragment {
    const key = `${choice}:${delta.index ?? 0}`;
    const known = this.open.get(key);
    if (known && (!delta.id || delta.id === known.id)) return known;
    const fragment: Fragment = { choice, id: delta.id || newId(), name: '', arguments: '' };
    if (!delta.id) {
      this.given.set(delta, fragment.id);
      this.hasGiven = true;
    }
    this.open.set(key, fragment);
    this.fragments.push(fragment);
    return fragment;
  }

  private named(delta: CallDelta): CallDelta {
    const id = this.given.get(delta);
    return id ? { ...delta, id } : delta;
  }
}

import type { ChatToolCall, JsonObject } from '../common/index';

interface Fragment {
  id?: string;
  name: string;
  arguments: string;
}

interface CallDelta extends JsonObject {
  readonly index?: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

/** Puts the fragments of streamed tool calls together, for every choice; only the first choice's calls are run. */
export class ToolCallCollector {
  private readonly fragments = new Map<string, Fragment>();
  private readonly given = new Map<string, string>();

  /** True when an upstream forgot ids and some were made up here. */
  get patched(): boolean {
    return this.given.size > 0;
  }

  /** @returns the UTF-8 bytes of arguments added. */
  add(choice: number, deltas: readonly JsonObject[], newId: () => string): number {
    let bytes = 0;
    for (const delta of deltas as readonly CallDelta[]) {
      const key = `${choice}:${delta.index ?? 0}`;
      const fragment = this.fragments.get(key) ?? { name: '', arguments: '' };
      if (!this.fragments.has(key)) this.fragments.set(key, this.named(key, fragment, delta, newId));
      fragment.name += delta.function?.name ?? '';
      fragment.arguments += delta.function?.arguments ?? '';
      bytes += Buffer.byteLength(delta.function?.arguments ?? '');
    }
    return bytes;
  }

  /** The first choice's calls, whole. */
  list(): readonly ChatToolCall[] {
    return [...this.fragments]
      .filter(([key]) => key.startsWith('0:'))
      .map(([, { id = '', name, arguments: text }]) => ({
        id,
        type: 'function',
        function: { name, arguments: text },
      }));
  }

  /** The chunk with the ids that were made up for its calls. */
  withIds(chunk: JsonObject): JsonObject {
    const choices = chunk.choices as unknown as readonly {
      index?: number;
      delta?: { tool_calls?: readonly CallDelta[] };
    }[];
    return {
      ...chunk,
      choices: choices.map((choice) =>
        choice.delta?.tool_calls
          ? {
              ...choice,
              delta: { ...choice.delta, tool_calls: this.named0(choice.index ?? 0, choice.delta.tool_calls) },
            }
          : choice,
      ),
    } as unknown as JsonObject;
  }

  private named(key: string, fragment: Fragment, delta: CallDelta, newId: () => string): Fragment {
    fragment.id = delta.id || newId();
    if (!delta.id) this.given.set(key, fragment.id);
    return fragment;
  }

  private named0(choice: number, deltas: readonly CallDelta[]): readonly CallDelta[] {
    return deltas.map((delta) => {
      const id = this.given.get(`${choice}:${delta.index ?? 0}`);
      return id && delta.function?.name ? { ...delta, id } : delta;
    });
  }
}

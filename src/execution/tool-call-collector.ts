import type { ChatToolCall, JsonObject } from '../common/index';
import { newToolCallId } from './answer';

interface Call {
  readonly choice: number;
  /** Its number among the calls of its choice. */
  readonly index: number;
  readonly id: string;
  name: string;
  arguments: string;
}

interface CallDelta extends JsonObject {
  readonly index?: number | null;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

/**
 * Puts the pieces of streamed tool calls together, for every choice; only the first choice's calls are run. Pieces belong
 * together by their index; a new id under a known index, or without one, begins another call.
 */
export class ToolCallCollector {
  private readonly calls: Call[] = [];
  /** By choice and the upstream's index: the call that the next piece goes on with. */
  private readonly open = new Map<string, Call>();
  /** How many calls each choice has. */
  private readonly counts = new Map<number, number>();
  private argumentBytes = 0;

  /** UTF-8 bytes of all arguments. */
  get bytes(): number {
    return this.argumentBytes;
  }

  /**
   * @returns the pieces as everybody behind may rely on them: the first of each call has an id, and every one the number of
   * its call, from 0. The same list when that is how they came.
   */
  add(choice: number, deltas: readonly JsonObject[]): readonly JsonObject[] {
    const numbered = deltas.map((delta) => this.take(choice, delta));
    return numbered.every((delta, at) => delta === deltas[at]) ? deltas : numbered;
  }

  /** The first choice's calls, whole. */
  list(): readonly ChatToolCall[] {
    return this.calls
      .filter(({ choice }) => choice === 0)
      .map(({ id, name, arguments: text }) => ({
        id,
        type: 'function',
        function: { name, arguments: text },
      }));
  }

  private take(choice: number, delta: CallDelta): CallDelta {
    const known = this.known(choice, delta);
    const call = known ?? this.begin(choice, delta);
    const { name, arguments: text } = delta.function ?? {};
    if (typeof name === 'string') call.name += name;
    if (typeof text === 'string') {
      call.arguments += text;
      this.argumentBytes += Buffer.byteLength(text);
    }
    if (delta.index === call.index && (known || delta.id)) return delta;
    return { ...delta, index: call.index, ...(known ? {} : { id: call.id }) };
  }

  private known(choice: number, delta: CallDelta): Call | undefined {
    const call = this.open.get(placeOf(choice, delta));
    return call && (!delta.id || delta.id === call.id) ? call : undefined;
  }

  private begin(choice: number, delta: CallDelta): Call {
    const index = this.counts.get(choice) ?? 0;
    this.counts.set(choice, index + 1);
    const call: Call = { choice, index, id: delta.id || newToolCallId(), name: '', arguments: '' };
    this.open.set(placeOf(choice, delta), call);
    this.calls.push(call);
    return call;
  }
}

function placeOf(choice: number, { index }: CallDelta): string {
  return `${choice}:${index ?? 0}`;
}

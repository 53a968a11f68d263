import type { ChatToolCall, JsonObject } from '../common/index';
import { newToolCallId } from './answer';

interface Call {
  readonly choice: number;
  /** Its number among the calls of its choice. */
  readonly index: number;
  readonly id: string;
  isCustom: boolean;
  name: string;
  /** A function's arguments, or what a custom tool is given. */
  input: string;
}

interface CallDelta extends JsonObject {
  readonly index?: number | null;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
  readonly custom?: { readonly name?: string; readonly input?: string };
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
  private inputBytes = 0;

  /** UTF-8 bytes of all that the tools are given. */
  get bytes(): number {
    return this.inputBytes;
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
    return this.calls.filter(({ choice }) => choice === 0).map(asToolCall);
  }

  private take(choice: number, delta: CallDelta): CallDelta {
    const known = this.known(choice, delta);
    const call = known ?? this.begin(choice, delta);
    this.read(delta, call);
    if (delta.index === call.index && (known || delta.id)) return delta;
    return { ...delta, index: call.index, ...(known ? {} : { id: call.id }) };
  }

  private read({ function: called, custom }: CallDelta, call: Call): void {
    if (custom) call.isCustom = true;
    const name = called?.name ?? custom?.name;
    const input = called?.arguments ?? custom?.input;
    if (typeof name === 'string') call.name += name;
    if (typeof input === 'string') {
      call.input += input;
      this.inputBytes += Buffer.byteLength(input);
    }
  }

  private known(choice: number, delta: CallDelta): Call | undefined {
    const call = this.open.get(placeOf(choice, delta));
    return call && (!delta.id || delta.id === call.id) ? call : undefined;
  }

  private begin(choice: number, delta: CallDelta): Call {
    const index = this.counts.get(choice) ?? 0;
    this.counts.set(choice, index + 1);
    const id = delta.id || newToolCallId();
    const call: Call = { choice, index, id, isCustom: false, name: '', input: '' };
    this.open.set(placeOf(choice, delta), call);
    this.calls.push(call);
    return call;
  }
}

function asToolCall({ id, isCustom, name, input }: Call): ChatToolCall {
  return isCustom
    ? { id, type: 'custom', custom: { name, input } }
    : { id, type: 'function', function: { name, arguments: input } };
}

function placeOf(choice: number, { index }: CallDelta): string {
  return `${choice}:${index ?? 0}`;
}

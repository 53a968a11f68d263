import { JsonChunk, type ChatChunk } from '../providers/index';
import { choicesOf } from './chunk-choices';

/** The chunks that end the choices of an answer, held back in their order. Of two ends of one choice the later counts. */
export class HeldFinish {
  private held: readonly ChatChunk[] = [];

  /** @param finish a chunk whose every choice has a finish reason. */
  hold(finish: ChatChunk): void {
    const ended = new Set(choicesOf(finish).map(({ index = 0 }) => index));
    this.held = [...this.held.flatMap((earlier) => without(ended, earlier)), finish];
  }

  get chunks(): readonly ChatChunk[] {
    return this.held;
  }
}

function without(indexes: ReadonlySet<number>, finish: ChatChunk): readonly ChatChunk[] {
  const choices = choicesOf(finish);
  const left = choices.filter(({ index = 0 }) => !indexes.has(index));
  if (left.length === choices.length) return [finish];
  return left.length === 0 ? [] : [new JsonChunk({ ...finish.chunk, choices: left })];
}

import type { JsonObject } from '../common/index';
import type { ChatChunk } from './provider.port';

/** A chunk that was made here. Its text is written when somebody wants it, which not every dialect does. */
export class JsonChunk implements ChatChunk {
  #data?: string;

  constructor(readonly chunk: JsonObject) {}

  get data(): string {
    this.#data ??= JSON.stringify(this.chunk);
    return this.#data;
  }
}

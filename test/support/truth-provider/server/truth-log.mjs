import { openSync, writeSync } from 'node:fs';

/** An append-only log: each entry is handed to the kernel before the next step, so a kill loses none. */
export class TruthLog {
  #file;

  constructor(path) {
    this.#file = openSync(path, 'a');
  }

  write(entry) {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { processMark } from './os-process';

let counter = 0;

/** The processes that use one server, a file each. Read and changed only under the start lock. */
export class Attachments {
  constructor(private readonly folder: string) {}

  /** Notes this process; the returned function takes the note back. */
  add(): () => void {
    mkdirSync(this.folder, { recursive: true });
    counter += 1;
    const file = path.join(this.folder, `${process.pid}-${counter}`);
    writeFileSync(file, processMark(process.pid) ?? '');
    return () => rmSync(file, { force: true });
  }

  /** Whether a live process is attached; forgets the dead ones. */
  hasLive(): boolean {
    return this.files().filter((name) => this.isLive(name)).length > 0;
  }

  private files(): readonly string[] {
    try {
      return readdirSync(this.folder);
    } catch {
      return [];
    }
  }

  private isLive(name: string): boolean {
    const file = path.join(this.folder, name);
    const isSame = processMark(Number.parseInt(name, 10)) === readFileSync(file, 'utf8');
    if (!isSame) rmSync(file, { force: true });
    return isSame;
  }
}

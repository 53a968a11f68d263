import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder of package.json, from the sources as well as from dist. */
export function packageRoot(from: string = __dirname): string {
  let folder = from;
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${from}`);
    folder = parent;
  }
  return folder;
}

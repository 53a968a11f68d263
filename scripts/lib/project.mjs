import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Progress goes to stderr, so that stdout belongs to the program that is started. */
export function say(line) {
  process.stderr.write(`lattice: ${line}\n`);
}

/** A failure whose message is all that the user needs; printed without a stack. */
export class SetupError extends Error {}

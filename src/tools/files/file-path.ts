import { ValidationError } from '../../errors/index';

const MAX_PATH_CHARS = 500;
const MAX_DEPTH = 10;
/** Most file systems take 255; ours needs room for nothing else. */
const MAX_NAME_BYTES = 200;
/** What no file system we may run on takes in a name, and what would say something else to one of them. */
const BAD_CHARACTERS = /[\p{Cc}\p{Cf}<>:"|?*\\]/u;
const DEVICE_NAME = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;

/** Our own files between those of a project. Never listed, never named by a caller. */
export const TEMPORARY_PREFIX = '.lattice-';

/**
 * The names of a path within a project's folder: relative, with `/` between names, on every platform the same.
 * @throws ValidationError saying what is wrong
 */
export function namesOf(path: string): readonly string[] {
  if (path === '') refuse('it is empty');
  if (path.length > MAX_PATH_CHARS) refuse(`it has more than ${MAX_PATH_CHARS} characters`);
  if (path.startsWith('/')) refuse('it must be relative, such as notes/plan.md');
  const names = path.split('/');
  if (names.length > MAX_DEPTH) refuse(`it is more than ${MAX_DEPTH} folders deep`);
  for (const name of names) checkName(name);
  return names;
}

function checkName(name: string): void {
  if (name === '') refuse('it has an empty name');
  if (name === '.' || name === '..') refuse('"." and ".." are not possible');
  if (BAD_CHARACTERS.test(name) || !name.isWellFormed()) refuse('it has characters that are not possible');
  if (/[. ]$|^ /.test(name)) refuse('no name may begin with a space or end with a space or a dot');
  if (DEVICE_NAME.test(name)) refuse(`"${name}" is the name of a device`);
  if (name.toLowerCase().startsWith(TEMPORARY_PREFIX))
    refuse(`names that begin with ${TEMPORARY_PREFIX} are taken`);
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) refuse(`a name has more than ${MAX_NAME_BYTES} bytes`);
}

function refuse(reason: string): never {
  throw new ValidationError(`The path is not possible: ${reason}`, { param: 'path' });
}

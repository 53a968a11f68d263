import { AppError, NotFoundError, ServiceUnavailableError, ValidationError } from '../../errors/index';

/** Links, and folders where files are wanted or the other way round. */
const WRONG_KIND = new Set(['ENOTDIR', 'ELOOP', 'EISDIR', 'ENXIO']);

/** What went wrong, without the path on this machine that the system's own messages name. */
export function toFileError(error: unknown): Error {
  if (error instanceof AppError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error as Error;
  if (code === 'ENOENT') return new NotFoundError('There is no such file.', { param: 'path' });
  if (WRONG_KIND.has(code)) {
    return new ValidationError('The path is not possible: it leads through something that is no folder', {
      param: 'path',
    });
  }
  return new ServiceUnavailableError(`The files cannot be used at the moment (${code})`, { cause: error });
}

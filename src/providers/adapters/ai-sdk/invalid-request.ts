import { ValidationError } from '../../../errors/index';

/** A request that cannot be put into the provider's dialect; `param` is the field as the caller wrote it. */
export function invalidRequest(param: string, message: string): ValidationError {
  return new ValidationError(`${param}: ${message}`, { param });
}

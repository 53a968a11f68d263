import { ValidationError } from '../errors/index';

/** Refuses a request for one of its fields. */
export function invalid(param: string, reason: string): never {
  throw new ValidationError(`${param} ${reason}`, { param });
}

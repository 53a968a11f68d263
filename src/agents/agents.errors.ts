import { ConflictError, ValidationError } from '../errors/index';

/** Where in a template, counted from 1. */
export interface TemplatePlace {
  readonly line: number;
  readonly column: number;
}

/** The prompt of an agent is no template that can be used. */
export class PromptTemplateError extends ValidationError {
  constructor(reason: string, place?: TemplatePlace) {
    const where = place ? ` (line ${place.line}, column ${place.column})` : '';
    super(`prompt is no usable template${where}: ${reason}`, { param: 'prompt', details: { ...place } });
  }
}

/** Only the administrator's configuration changes them. */
export function isBuiltIn(type: string): ConflictError {
  return new ConflictError(`The agent "${type}" is built in: choose another type for one of your own.`, {
    param: 'type',
  });
}

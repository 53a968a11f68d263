import { ValidateIf } from 'class-validator';

/** The field may be left out; null is refused like any other wrong value. */
export const IfPresent = (): PropertyDecorator =>
  ValidateIf((_body: unknown, value: unknown) => value !== undefined);

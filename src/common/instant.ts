/** Dates and times as callers write them. Narrower than ISO 8601: what PostgreSQL reads as well, and nothing ambiguous. */
import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';

const DATE_OR_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/i;
/** PostgreSQL knows no year 0, and JavaScript writes years after 9999 in a way of its own. */
const COMMON_YEAR = /^(?!0000)\d{4}-/;

export const INSTANT_RULE = 'must be a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z';

/**
 * The instant in ISO with a time zone; undefined of any other text. A date is its first moment in UTC, and a time without
 * a zone is one of UTC, wherever the server stands.
 */
export function parseInstant(text: string): string | undefined {
  const match = DATE_OR_TIME.exec(text);
  if (!match || !isDay(text.slice(0, 10))) return undefined;
  const hasZone = match[1] !== undefined || !/t/i.test(text);
  const ms = Date.parse(hasZone ? text : `${text}Z`);
  if (Number.isNaN(ms)) return undefined;
  const instant = new Date(ms).toISOString();
  return COMMON_YEAR.test(instant) ? instant : undefined;
}

/** The field takes what `parseInstant` reads, and holds the instant. */
export function IsInstant(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? (parseInstant(value) ?? value) : value,
    ),
    ValidateBy({
      name: 'isInstant',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && parseInstant(value) !== undefined,
        defaultMessage: () => `$property ${INSTANT_RULE}`,
      },
    }),
  );
}

/** JavaScript takes 30 February for 2 March. */
function isDay(date: string): boolean {
  const ms = Date.parse(date);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}

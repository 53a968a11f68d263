/** Fields of queries that several lists share. */
import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsOptional, Matches } from 'class-validator';
import type { IdPrefix } from './ids';

/** An id of this kind, as the API shows it. */
export function IdFilter(prefix: IdPrefix, description: string): PropertyDecorator {
  const pattern = `^${prefix}_[0-9a-f]{32}$`;
  return applyDecorators(
    ApiPropertyOptional({ type: String, pattern, description }),
    IsOptional(),
    Matches(new RegExp(pattern), { message: `$property must be an id such as ${prefix}_0192f0c0…` }),
  );
}

/** `true` and `false` as they stand in a URL; anything else is left for the rule to refuse. */
export function BooleanFilter(more: Pick<ApiPropertyOptions, 'default' | 'description'>): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: Boolean, ...more }),
    IsOptional(),
    Transform(({ value }: { value: unknown }) =>
      value === 'true' ? true : value === 'false' ? false : value,
    ),
    IsBoolean(),
  );
}

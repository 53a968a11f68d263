/** What the bodies that make and change keys have in common. */
import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsOptional,
  IsRFC3339,
  Matches,
  MaxLength,
} from 'class-validator';
import { IfPresent, PROVIDER_IDS } from '../../common/index';
import { SCOPES } from '../guard/permissions';

const MAX_MODELS = 50;
const MODEL_MAX = 200;
const MODEL = new RegExp(`^(${PROVIDER_IDS.join('|')})/(\\*|[^\\s*\\p{Cc}]+)$`, 'u');

export const ScopesField = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      enum: SCOPES,
      isArray: true,
      nullable: true,
      uniqueItems: true,
      minItems: 1,
      example: ['inference', 'usage:read'],
      description:
        'What the key may do, as far as its owner may. Null or left out: everything except managing credentials ' +
        '(`keys:write`, `auth:write`, `session:write`, `users:write`), which must be named.',
    }),
    IsOptional(),
    IsArray(),
    ArrayNotEmpty(),
    ArrayMaxSize(SCOPES.length),
    ArrayUnique(),
    IsIn(SCOPES, { each: true }),
  );

export const AllowedModelsField = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      type: [String],
      nullable: true,
      uniqueItems: true,
      minItems: 1,
      maxItems: MAX_MODELS,
      example: ['sandbox/*'],
      description:
        'Canonical model ids (`provider/model`), or `provider/*`. Routing and fallbacks stay among them. A model that ' +
        'is not in the catalog yet may be named. Null or left out: every model.',
    }),
    IsOptional(),
    IsArray(),
    ArrayNotEmpty(),
    ArrayMaxSize(MAX_MODELS),
    ArrayUnique(),
    MaxLength(MODEL_MAX, { each: true }),
    Matches(MODEL, {
      each: true,
      message: `each value in $property must be "<provider>/<model>" or "<provider>/*"; providers are ${PROVIDER_IDS.join(', ')}`,
    }),
  );

export const ExpiryField = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      type: String,
      format: 'date-time',
      nullable: true,
      example: '2099-12-31T23:59:59Z',
      description: 'RFC 3339, in the future. Null or left out: the key does not expire.',
    }),
    IsOptional(),
    MaxLength(64),
    IsRFC3339(),
  );

export const CacheField = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      type: Boolean,
      default: false,
      example: true,
      description:
        'Requests with this key may be answered by what an identical deterministic one of the same owner got before, ' +
        'at no cost. A request says otherwise with `x-lattice-cache: off`.',
    }),
    IfPresent(),
    IsBoolean(),
  );

import { ApiProperty } from '@nestjs/swagger';
import { type LimitValues, toApiId } from '../../common/index';
import type { ApiKeyEntity } from '../entities/api-key.entity';
import type { KeyAllowances, KeyBudget } from '../keys/key-allowances';
import { KEY_STATES, type KeyState, keyState } from '../keys/key-state';
import { KeyBudgetDto, KeyLimitsDto } from './key-allowances.dto';

export class KeyResponseDto {
  @ApiProperty({ type: String, example: 'key_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, example: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5', description: 'Its owner.' })
  userId: string;

  @ApiProperty({ type: String, example: 'my laptop' })
  name: string;

  @ApiProperty({ type: String, example: 'llk_Xk29fa', description: 'The first characters of the key.' })
  prefix: string;

  @ApiProperty({ enum: KEY_STATES, example: 'active' })
  state: KeyState;

  @ApiProperty({
    type: [String],
    nullable: true,
    example: ['inference', 'usage:read'],
    description: 'Null: whatever its owner may, except managing credentials.',
  })
  scopes: string[] | null;

  @ApiProperty({ type: [String], nullable: true, example: ['sandbox/*'], description: 'Null: every model.' })
  allowedModels: string[] | null;

  @ApiProperty({ type: Boolean, example: false, description: 'Whether its requests use the response cache.' })
  cache: boolean;

  @ApiProperty({ type: KeyLimitsDto, nullable: true, description: 'Null: none of its own.' })
  limits: LimitValues | null;

  @ApiProperty({ type: KeyBudgetDto, nullable: true, description: 'Null: none of its own.' })
  budget: KeyBudget | null;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Null: never.' })
  expiresAt: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Until when the key from before the last rotation is taken too. Null: it is not.',
  })
  previousKeyUntil: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Null: it is not revoked.' })
  revokedAt: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Exact to a minute.' })
  lastUsedAt: string | null;

  static from(key: ApiKeyEntity, allowances: KeyAllowances = {}): KeyResponseDto {
    const { previousKeyUntil } = key;
    const hasPrevious = previousKeyUntil !== null && previousKeyUntil.getTime() > Date.now();
    return {
      id: toApiId('key', key.id),
      userId: toApiId('usr', key.userId),
      name: key.name,
      prefix: key.prefix,
      state: keyState(key),
      scopes: key.scopes,
      allowedModels: key.allowedModels,
      cache: key.cache,
      limits: allowances.limits ?? null,
      budget: allowances.budget ?? null,
      createdAt: key.createdAt.toISOString(),
      expiresAt: isoOf(key.expiresAt),
      previousKeyUntil: hasPrevious ? isoOf(previousKeyUntil) : null,
      revokedAt: isoOf(key.revokedAt),
      lastUsedAt: isoOf(key.lastUsedAt),
    };
  }
}

export class CreatedKeyResponseDto extends KeyResponseDto {
  @ApiProperty({ type: String, description: 'The key itself. It is shown this once: keep it.' })
  key: string;
}

export class KeyPageResponseDto {
  @ApiProperty({ type: [KeyResponseDto] })
  data: KeyResponseDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}

function isoOf(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}

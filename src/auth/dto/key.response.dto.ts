import { ApiProperty } from '@nestjs/swagger';
import { toApiId } from '../../common/index';
import type { ApiKeyPage, CreatedApiKey } from '../keys/api-key.service';
import type { ApiKeyEntity } from '../entities/api-key.entity';

export class KeyResponseDto {
  @ApiProperty({ type: String, example: 'key_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, example: 'my laptop' })
  name: string;

  @ApiProperty({ type: String, example: 'llk_Xk29fa', description: 'The first characters of the key.' })
  prefix: string;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Null: never.' })
  expiresAt: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Exact to a minute.' })
  lastUsedAt: string | null;

  static from(key: ApiKeyEntity): KeyResponseDto {
    return {
      id: toApiId('key', key.id),
      name: key.name,
      prefix: key.prefix,
      createdAt: key.createdAt.toISOString(),
      expiresAt: key.expiresAt?.toISOString() ?? null,
      lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
    };
  }
}

export class CreatedKeyResponseDto extends KeyResponseDto {
  @ApiProperty({ type: String, description: 'The key itself. It is shown this once: keep it.' })
  key: string;

  static fromCreated({ entity, key }: CreatedApiKey): CreatedKeyResponseDto {
    return Object.assign(KeyResponseDto.from(entity), { key });
  }
}

export class KeyPageResponseDto {
  @ApiProperty({ type: [KeyResponseDto] })
  data: KeyResponseDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;

  static from({ entities, nextCursor }: ApiKeyPage): KeyPageResponseDto {
    return { data: entities.map((key) => KeyResponseDto.from(key)), nextCursor };
  }
}

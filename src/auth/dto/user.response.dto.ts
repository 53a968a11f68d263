import { ApiProperty } from '@nestjs/swagger';
import { type Role, ROLES, toApiId } from '../../common/index';
import type { UserEntity } from '../entities/user.entity';

export class UserResponseDto {
  @ApiProperty({ type: String, example: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, format: 'email', example: 'ada@example.com' })
  email: string;

  @ApiProperty({ type: String, example: 'Ada Lovelace' })
  name: string;

  @ApiProperty({ enum: ROLES, example: 'operator' })
  role: Role;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  static from(user: UserEntity): UserResponseDto {
    const { id, email, name, role, createdAt } = user;
    return { id: toApiId('usr', id), email, name, role, createdAt: createdAt.toISOString() };
  }
}

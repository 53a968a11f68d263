import { ApiProperty } from '@nestjs/swagger';
import type { Page } from '../cursors';
import type { UserEntity } from '../entities/user.entity';
import { UserResponseDto } from './user.response.dto';

/** A user as administrators see one. */
export class ManagedUserResponseDto extends UserResponseDto {
  @ApiProperty({ type: Boolean, example: false })
  isDisabled: boolean;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  disabledAt: string | null;

  static override from(user: UserEntity): ManagedUserResponseDto {
    const { disabledAt } = user;
    return Object.assign(UserResponseDto.from(user), {
      isDisabled: disabledAt !== null,
      disabledAt: disabledAt?.toISOString() ?? null,
    });
  }
}

export class UserPageResponseDto {
  @ApiProperty({ type: [ManagedUserResponseDto] })
  data: ManagedUserResponseDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;

  static from({ items, nextCursor }: Page<UserEntity>): UserPageResponseDto {
    return { data: items.map((user) => ManagedUserResponseDto.from(user)), nextCursor };
  }
}

import { ApiProperty } from '@nestjs/swagger';
import { type Role, ROLES, toApiId } from '../../common/index';
import type { Page } from '../cursors';
import type { InviteEntity } from '../entities/invite.entity';
import type { CreatedInvite } from '../users/invites.service';

const STATES = ['open', 'used', 'revoked', 'expired'] as const;
type InviteState = (typeof STATES)[number];

export class InviteResponseDto {
  @ApiProperty({ type: String, example: 'inv_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, format: 'email', nullable: true, description: 'Null: any address.' })
  email: string | null;

  @ApiProperty({ enum: ROLES, example: 'operator' })
  role: Role;

  @ApiProperty({ enum: STATES, example: 'open' })
  state: InviteState;

  @ApiProperty({ type: String, format: 'date-time' })
  expiresAt: string;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  static from(invite: InviteEntity): InviteResponseDto {
    const { id, email, role, expiresAt, createdAt } = invite;
    return {
      id: toApiId('inv', id),
      email,
      role,
      state: stateOf(invite),
      expiresAt: expiresAt.toISOString(),
      createdAt: createdAt.toISOString(),
    };
  }
}

export class CreatedInviteResponseDto extends InviteResponseDto {
  @ApiProperty({
    type: String,
    description: 'The `inviteToken` for POST /api/v1/auth/register. It is shown this once: send it on.',
  })
  token: string;

  static fromCreated({ entity, token }: CreatedInvite): CreatedInviteResponseDto {
    return Object.assign(InviteResponseDto.from(entity), { token });
  }
}

export class InvitePageResponseDto {
  @ApiProperty({ type: [InviteResponseDto] })
  data: InviteResponseDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;

  static from({ items, nextCursor }: Page<InviteEntity>): InvitePageResponseDto {
    return { data: items.map((invite) => InviteResponseDto.from(invite)), nextCursor };
  }
}

function stateOf({ usedAt, revokedAt, expiresAt }: InviteEntity): InviteState {
  if (usedAt) return 'used';
  if (revokedAt) return 'revoked';
  return expiresAt.getTime() > Date.now() ? 'open' : 'expired';
}

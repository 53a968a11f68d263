import { ApiProperty } from '@nestjs/swagger';
import { type ProviderId, type RequestContext, toApiId } from '../../../common/index';
import {
  type Credential,
  CREDENTIAL_STATES,
  type CredentialState,
  type Verification,
  VERIFICATIONS,
} from '../credential';
import { CREDENTIAL_PROVIDERS } from '../credential-secret';

export class CredentialDto {
  @ApiProperty({ type: String, example: 'crd_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, example: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5' })
  userId: string;

  @ApiProperty({ enum: CREDENTIAL_PROVIDERS, example: 'openai' })
  provider: ProviderId;

  @ApiProperty({ type: String, nullable: true, example: 'my team' })
  name: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: '8f2c',
    description: 'The last characters of a long key (of AWS keys: of the id), for its owner only.',
  })
  hint: string | null;

  @ApiProperty({
    enum: CREDENTIAL_STATES,
    description: '`unreadable`: stored under a secret key of the installation that is gone; set it again.',
  })
  state: CredentialState;

  @ApiProperty({ type: Boolean, description: 'False: calls are made as if it were not there.' })
  isActive: boolean;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'To the minute.' })
  lastUsedAt: string | null;

  @ApiProperty({ type: String, format: 'date-time' })
  updatedAt: string;

  static from({ principal }: RequestContext, credential: Credential): CredentialDto {
    const { id, userId, provider, name, hint, state, isActive } = credential;
    return {
      id: toApiId('crd', id),
      userId: toApiId('usr', userId),
      provider,
      name,
      hint: userId === principal.userId ? hint : null,
      state,
      isActive,
      createdAt: credential.createdAt.toISOString(),
      lastUsedAt: credential.lastUsedAt?.toISOString() ?? null,
      updatedAt: credential.updatedAt.toISOString(),
    };
  }
}

export class CredentialPageDto {
  @ApiProperty({ type: [CredentialDto] })
  data: CredentialDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}

export class VerificationDto {
  @ApiProperty({
    enum: VERIFICATIONS,
    description:
      '`ok`: the provider listed its models. `refused`: it answered that this key may not. `unreachable`: it gave no usable answer.',
  })
  result: Verification;
}

import { ApiProperty } from '@nestjs/swagger';
import type { Session } from '../accounts/session.service';
import { UserResponseDto } from './user.response.dto';

export class SessionResponseDto {
  @ApiProperty({ type: UserResponseDto })
  user: UserResponseDto;

  @ApiProperty({ type: String, description: 'Send as "Authorization: Bearer <accessToken>".' })
  accessToken: string;

  @ApiProperty({ type: String, description: 'Good for one exchange against a new pair of tokens.' })
  refreshToken: string;

  @ApiProperty({ type: Number, example: 1800, description: 'Seconds until the access token expires.' })
  expiresIn: number;

  static from({ user, accessToken, refreshToken, expiresInSeconds }: Session): SessionResponseDto {
    return { user: UserResponseDto.from(user), accessToken, refreshToken, expiresIn: expiresInSeconds };
  }
}

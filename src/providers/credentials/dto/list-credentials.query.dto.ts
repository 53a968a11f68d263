import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { PageQueryDto, type ProviderId } from '../../../common/index';
import { CREDENTIAL_PROVIDERS } from '../credential-secret';

export class ListCredentialsQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: CREDENTIAL_PROVIDERS, description: 'Those for this provider only.' })
  @IsOptional()
  @IsIn(CREDENTIAL_PROVIDERS)
  provider?: ProviderId;
}

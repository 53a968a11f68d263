import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsObject, ValidateNested } from 'class-validator';
import { IfPresent } from '../../common/index';
import type { KeySettings } from '../keys/api-key.service';
import { NameField } from './fields';
import { KeyBudgetDto, KeyLimitsDto } from './key-allowances.dto';
import { AllowedModelsField, CacheField, ExpiryField, ScopesField } from './key-settings.fields';

export class CreateKeyRequestDto {
  @NameField('my laptop')
  name: string;

  @ScopesField()
  scopes?: string[] | null;

  @AllowedModelsField()
  allowedModels?: string[] | null;

  @CacheField()
  cache?: boolean;

  @ExpiryField()
  expiresAt?: string | null;

  @ApiPropertyOptional({ type: KeyLimitsDto, description: "Below those of the key's owner, which hold too." })
  @IfPresent()
  @IsObject()
  @ValidateNested()
  @Type(() => KeyLimitsDto)
  limits?: KeyLimitsDto;

  @ApiPropertyOptional({ type: KeyBudgetDto, description: "Inside the budgets of the key's owner." })
  @IfPresent()
  @IsObject()
  @ValidateNested()
  @Type(() => KeyBudgetDto)
  budget?: KeyBudgetDto;

  static settings({ name, scopes, allowedModels, cache, expiresAt }: CreateKeyRequestDto): KeySettings {
    return {
      name,
      scopes: scopes ?? null,
      allowedModels: allowedModels ?? null,
      cache: cache ?? false,
      expiresAt: expiresAt ? new Date(expiresAt) : null,
    };
  }
}

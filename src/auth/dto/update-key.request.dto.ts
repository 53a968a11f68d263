import type { KeySettings } from '../keys/api-key.service';
import { OptionalNameField } from './fields';
import { AllowedModelsField, CacheField, ExpiryField, ScopesField } from './key-settings.fields';

/** What is left out stays as it is; null takes a restriction away. */
export class UpdateKeyRequestDto {
  @OptionalNameField('my laptop')
  name?: string;

  @ScopesField()
  scopes?: string[] | null;

  @AllowedModelsField()
  allowedModels?: string[] | null;

  @CacheField()
  cache?: boolean;

  @ExpiryField()
  expiresAt?: string | null;

  static change({ expiresAt, ...others }: UpdateKeyRequestDto): Partial<KeySettings> {
    return expiresAt === undefined
      ? others
      : { ...others, expiresAt: expiresAt === null ? null : new Date(expiresAt) };
  }
}

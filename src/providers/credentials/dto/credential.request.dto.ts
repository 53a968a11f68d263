import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import type { ProviderId } from '../../../common/index';
import type { AwsCredentials } from '../../../config/index';
import { ValidationError } from '../../../errors/index';
import { CREDENTIAL_PROVIDERS, type CredentialSecret } from '../credential-secret';
import type { NewCredential } from '../credentials.repository';

const MAX_NAME = 100;
const VISIBLE = String.raw`[\x21-\x7e]`;
/** A region becomes part of a host name, so nothing else may stand in it. */
const REGION = /^[a-z]{2,6}(-[a-z]{2,12}){1,3}-\d{1,2}$/;

/** May be left out, but not be null. */
const IsLeftOutOr = (): PropertyDecorator => ValidateIf((_, value: unknown) => value !== undefined);
/** They go into headers: no blanks, no line breaks. */
const IsSecret = (name: string, min: number, max: number): PropertyDecorator =>
  Matches(new RegExp(`^${VISIBLE}{${min},${max}}$`), {
    message: `${name} must be ${min} to ${max} visible ASCII characters, without blanks or line breaks`,
  });

/** Needed without an API key, and checked wherever it is there. */
const IsKeyPart = (): PropertyDecorator =>
  ValidateIf(({ apiKey }: AwsKeysDto, value: unknown) => apiKey === undefined || value !== undefined);

export class AwsKeysDto {
  @ApiPropertyOptional({
    type: String,
    writeOnly: true,
    description: 'An API key of Bedrock, in place of the other keys.',
  })
  @IsLeftOutOr()
  @IsSecret('aws.apiKey', 8, 4096)
  apiKey?: string;

  @ApiPropertyOptional({ type: String, example: 'AKIAIOSFODNN7EXAMPLE' })
  @IsKeyPart()
  @Matches(/^[A-Z0-9]{16,128}$/, { message: 'aws.accessKeyId must be 16 to 128 capital letters and digits' })
  accessKeyId?: string;

  @ApiPropertyOptional({ type: String, writeOnly: true })
  @IsKeyPart()
  @IsSecret('aws.secretAccessKey', 16, 256)
  secretAccessKey?: string;

  @ApiPropertyOptional({ type: String, writeOnly: true, description: 'Of temporary keys.' })
  @IsLeftOutOr()
  @IsSecret('aws.sessionToken', 16, 8192)
  sessionToken?: string;

  @ApiProperty({ type: String, example: 'eu-central-1' })
  @Matches(REGION, { message: 'aws.region must be the name of a region, such as eu-central-1' })
  region: string;

  /** @throws ValidationError when both kinds of keys were sent. */
  static credentials(body: AwsKeysDto): AwsCredentials {
    const { apiKey, accessKeyId, secretAccessKey, sessionToken, region } = body;
    if (accessKeyId !== undefined && secretAccessKey !== undefined && apiKey === undefined) {
      return { accessKeyId, secretAccessKey, sessionToken, region };
    }
    if (
      apiKey === undefined ||
      [accessKeyId, secretAccessKey, sessionToken].some((key) => key !== undefined)
    ) {
      throw refused('aws.apiKey', 'aws takes an apiKey, or accessKeyId and secretAccessKey, not both');
    }
    return { apiKey, region };
  }
}

const ApiKeyRules = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      type: String,
      writeOnly: true,
      minLength: 8,
      maxLength: 4096,
      description: 'For every provider but bedrock. It is never shown again.',
    }),
    IsLeftOutOr(),
    IsSecret('apiKey', 8, 4096),
  );

class OptionalCredentialFields {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: MAX_NAME, example: 'my team' })
  @IsOptional()
  @IsString()
  @Length(1, MAX_NAME)
  name?: string | null;

  @ApiKeyRules()
  apiKey?: string;

  @ApiPropertyOptional({ type: AwsKeysDto, description: 'For bedrock.' })
  @IsLeftOutOr()
  @IsObject()
  @ValidateNested()
  @Type(() => AwsKeysDto)
  aws?: AwsKeysDto;

  @ApiPropertyOptional({
    type: Boolean,
    default: true,
    description: 'One per provider. False: calls are made as if it were not there.',
  })
  @IsLeftOutOr()
  @IsBoolean()
  isActive?: boolean;

  /** @throws ValidationError when the provider takes the other kind. */
  static secretFor(
    provider: ProviderId,
    { apiKey, aws }: OptionalCredentialFields,
  ): CredentialSecret | undefined {
    if (provider === 'bedrock') {
      if (apiKey !== undefined) throw refused('apiKey', 'bedrock takes AWS keys: send aws instead of apiKey');
      return aws && { aws: AwsKeysDto.credentials(aws) };
    }
    if (aws !== undefined) throw refused('aws', `${provider} takes a key: send apiKey instead of aws`);
    return apiKey === undefined ? undefined : { apiKey };
  }
}

export class CreateCredentialRequestDto extends OptionalCredentialFields {
  @ApiProperty({ enum: CREDENTIAL_PROVIDERS, example: 'openai' })
  @IsIn(CREDENTIAL_PROVIDERS)
  provider: ProviderId;

  /** @throws ValidationError without a secret, or with one of the wrong kind. */
  static wanted(body: CreateCredentialRequestDto): Omit<NewCredential, 'id'> {
    const { provider, name = null, isActive = true } = body;
    return { provider, name, isActive, secret: this.secretOf(body) };
  }

  private static secretOf(body: CreateCredentialRequestDto): CredentialSecret {
    const secret = this.secretFor(body.provider, body);
    if (secret) return secret;
    throw body.provider === 'bedrock'
      ? refused('aws', 'aws is required: region, and apiKey or accessKeyId and secretAccessKey')
      : refused('apiKey', 'apiKey is required');
  }
}

export class UpdateCredentialRequestDto extends OptionalCredentialFields {
  /** Reads the new secret, if any, once the provider is known. */
  static readingFrom(
    body: Pick<UpdateCredentialRequestDto, 'apiKey' | 'aws'>,
  ): (provider: ProviderId) => CredentialSecret | undefined {
    return (provider) => this.secretFor(provider, body);
  }
}

/** Not switched on: a key that no provider knows would be used at once, in place of the sandbox. */
export const CREATE_EXAMPLES = {
  key: {
    summary: 'A key, to be switched on later',
    value: {
      provider: 'openai',
      name: 'my team',
      apiKey: 'an-example-key-that-no-provider-knows',
      isActive: false,
    },
  },
  aws: {
    summary: 'AWS keys for Bedrock, to be switched on later',
    value: {
      provider: 'bedrock',
      isActive: false,
      aws: {
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        secretAccessKey: 'an-example-key-that-amazon-does-not-know',
        region: 'eu-central-1',
      },
    },
  },
};

export const UPDATE_EXAMPLES = {
  rotate: { summary: 'Another key', value: { apiKey: 'another-example-key-that-nobody-knows' } },
  on: { summary: 'Switch it on', value: { isActive: true } },
  off: { summary: 'Switch it off', value: { isActive: false } },
};

function refused(param: string, message: string): ValidationError {
  return new ValidationError(message, { param });
}

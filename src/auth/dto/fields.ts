/** Rules that several request bodies share. */
import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsString, Length, Matches, MaxLength } from 'class-validator';
import { IfPresent } from '../../common/index';

const PASSWORD_MIN = 8;
const PASSWORD_MAX = 128;
const NAME_MAX = 100;
const EMAIL_MAX = 320;

/** Neither blank nor with control characters, which no list could show. */
const VISIBLE_TEXT = /^(?=.*\S)[^\p{Cc}\p{Cs}]+$/u;

export const EmailField = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: String, format: 'email', example: 'ada@example.com', maxLength: EMAIL_MAX }),
    MaxLength(EMAIL_MAX),
    IsEmail(),
  );

export const OptionalEmailField = (description: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      type: String,
      format: 'email',
      example: 'grace@example.com',
      maxLength: EMAIL_MAX,
      description,
    }),
    IfPresent(),
    MaxLength(EMAIL_MAX),
    IsEmail(),
  );

export const NewPasswordField = (example = 'correct horse battery staple'): PropertyDecorator =>
  applyDecorators(
    ApiProperty({
      type: String,
      format: 'password',
      example,
      minLength: PASSWORD_MIN,
      maxLength: PASSWORD_MAX,
    }),
    IsString(),
    Length(PASSWORD_MIN, PASSWORD_MAX),
  );

/** A password as somebody offers it at login: only bounded. */
export const PasswordField = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({
      type: String,
      format: 'password',
      example: 'correct horse battery staple',
      maxLength: PASSWORD_MAX,
    }),
    IsString(),
    Length(1, PASSWORD_MAX),
  );

export const NameField = (example: string): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: String, example, minLength: 1, maxLength: NAME_MAX }),
    IsString(),
    Length(1, NAME_MAX),
    Matches(VISIBLE_TEXT, { message: '$property must be visible text without control characters' }),
  );

export const OptionalNameField = (example: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: String, example, minLength: 1, maxLength: NAME_MAX }),
    IfPresent(),
    IsString(),
    Length(1, NAME_MAX),
    Matches(VISIBLE_TEXT, { message: '$property must be visible text without control characters' }),
  );

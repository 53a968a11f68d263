import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsOptional,
  IsString,
  Length,
  Matches,
  MaxLength,
} from 'class-validator';
import { IfPresent, MAX_URL_LENGTH } from '../../../common/index';
import { EVENT_PATTERN, WEBHOOK_SCOPES, type WebhookScope, type WebhookSettings } from '../webhook';

const MAX_PATTERNS = 50;
const MAX_PATTERN_LENGTH = 100;
const MAX_DESCRIPTION = 200;

const URL = {
  type: String,
  format: 'uri',
  maxLength: MAX_URL_LENGTH,
  example: 'https://example.com/lattice',
  description: 'https, and public; where the events are posted.',
};
const EVENTS = {
  type: String,
  isArray: true,
  minItems: 1,
  maxItems: MAX_PATTERNS,
  example: ['budget.*'],
  description: 'Types of events, `<prefix>.*` or `*`.',
};

const UrlRules = (): PropertyDecorator => applyDecorators(IsString(), Length(1, MAX_URL_LENGTH));
const EventsRules = (): PropertyDecorator =>
  applyDecorators(
    IsArray(),
    ArrayMinSize(1),
    ArrayMaxSize(MAX_PATTERNS),
    IsString({ each: true }),
    MaxLength(MAX_PATTERN_LENGTH, { each: true }),
    Matches(EVENT_PATTERN, {
      each: true,
      message: 'each of events must be a type such as budget.threshold, budget.* or *',
    }),
  );

/** What may be left out when a webhook is made, and all that may be when it is changed. */
class OptionalWebhookFields {
  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: MAX_DESCRIPTION,
    example: 'to the finance channel',
  })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_DESCRIPTION)
  description?: string | null;

  @ApiPropertyOptional({ type: Boolean, default: true, description: 'False: nothing is sent.' })
  @IfPresent()
  @IsBoolean()
  isActive?: boolean;

  @ApiPropertyOptional({
    enum: WEBHOOK_SCOPES,
    default: 'own',
    description: '`all`: the events of everybody, for administrators.',
  })
  @IfPresent()
  @IsIn(WEBHOOK_SCOPES)
  scope?: WebhookScope;
}

export class CreateWebhookRequestDto extends OptionalWebhookFields {
  @ApiProperty(URL)
  @UrlRules()
  url: string;

  @ApiProperty(EVENTS)
  @EventsRules()
  events: string[];

  static settings(body: CreateWebhookRequestDto): WebhookSettings {
    const { url, events, description = null, isActive = true, scope = 'own' } = body;
    return { url, events, description, isActive, scope };
  }
}

export class UpdateWebhookRequestDto extends OptionalWebhookFields {
  @ApiPropertyOptional(URL)
  @IfPresent()
  @UrlRules()
  url?: string;

  @ApiPropertyOptional(EVENTS)
  @IfPresent()
  @EventsRules()
  events?: string[];

  static change(body: UpdateWebhookRequestDto): Partial<WebhookSettings> {
    const { url, events, description, isActive, scope } = body;
    const fields = Object.entries({ url, events, description, isActive, scope });
    return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
  }
}

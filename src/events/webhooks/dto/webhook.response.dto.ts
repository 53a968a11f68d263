import { ApiProperty } from '@nestjs/swagger';
import { toApiId } from '../../../common/index';
import { type Webhook, WEBHOOK_SCOPES, type WebhookScope } from '../webhook';
import type { WebhookWithSecret } from '../webhooks.service';

export class WebhookDto {
  @ApiProperty({ type: String, example: 'whk_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, example: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5' })
  userId: string;

  @ApiProperty({ type: String, format: 'uri', example: 'https://example.com/lattice' })
  url: string;

  @ApiProperty({ type: [String], example: ['budget.*'] })
  events: string[];

  @ApiProperty({ type: String, nullable: true })
  description: string | null;

  @ApiProperty({ type: Boolean })
  isActive: boolean;

  @ApiProperty({ enum: WEBHOOK_SCOPES })
  scope: WebhookScope;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  @ApiProperty({ type: String, format: 'date-time' })
  updatedAt: string;

  static from(webhook: Webhook): WebhookDto {
    const { url, events, description, isActive, scope } = webhook;
    return {
      id: toApiId('whk', webhook.id),
      userId: toApiId('usr', webhook.userId),
      url,
      events: [...events],
      description,
      isActive,
      scope,
      createdAt: webhook.createdAt.toISOString(),
      updatedAt: webhook.updatedAt.toISOString(),
    };
  }
}

export class WebhookWithSecretDto extends WebhookDto {
  @ApiProperty({
    type: String,
    example: 'whsec_…',
    description: 'Verifies signatures. It is shown this once.',
  })
  secret: string;

  static fromIssued({ webhook, secret }: WebhookWithSecret): WebhookWithSecretDto {
    return Object.assign(WebhookDto.from(webhook), { secret });
  }
}

export class WebhookPageDto {
  @ApiProperty({ type: [WebhookDto] })
  data: WebhookDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}

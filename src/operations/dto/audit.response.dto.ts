import { ApiProperty } from '@nestjs/swagger';

export class AuditEntryDto {
  @ApiProperty({ example: 'aud_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' })
  at: string;

  @ApiProperty({ example: 'req_0192f0c1a2b37c4d8e5f60718293a4b5' })
  requestId: string;

  @ApiProperty({ example: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5', description: 'Who acted' })
  actorId: string;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'The API key that acted for them',
  })
  actorKeyId: string | null;

  @ApiProperty({ example: 'admin', description: 'Their role at that moment' })
  actorRole: string;

  @ApiProperty({ example: 'budget.update' })
  action: string;

  @ApiProperty({ type: String, nullable: true, example: 'bud_0192f0c1a2b37c4d8e5f60718293a4b5' })
  resourceId: string | null;

  @ApiProperty({ type: Object, nullable: true, additionalProperties: true, example: { limitUsd: '5' } })
  before: unknown;

  @ApiProperty({ type: Object, nullable: true, additionalProperties: true, example: { limitUsd: '10' } })
  after: unknown;
}

export class AuditPageDto {
  @ApiProperty({ type: [AuditEntryDto] })
  data: AuditEntryDto[];

  @ApiProperty({ type: String, nullable: true, example: null })
  nextCursor: string | null;
}

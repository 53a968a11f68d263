import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class ErrorDto {
  @ApiProperty({ example: 'VALIDATION_FAILED' })
  code: string;

  @ApiProperty({ example: 'messages must be a list with at least one message' })
  message: string;

  @ApiProperty({ example: 'invalid_request_error' })
  type: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    example: 'messages',
    description: 'The field the error is about',
  })
  param?: string | null;

  @ApiProperty({ example: 'req_019a0000000070008000000000000000' })
  requestId: string;

  @ApiPropertyOptional({ example: 1000 })
  retryAfterMs?: number;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  details?: object;
}

export class ErrorResponseDto {
  @ApiProperty({ type: ErrorDto })
  error: ErrorDto;
}

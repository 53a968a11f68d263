import { ApiProperty } from '@nestjs/swagger';

export class DeletedResponseDto {
  @ApiProperty({ example: 'resp_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ example: 'response' })
  object: string;

  @ApiProperty({ example: true })
  deleted: boolean;
}

export class InputItemListDto {
  @ApiProperty({ example: 'list' })
  object: string;

  @ApiProperty({
    type: 'array',
    items: { type: 'object', additionalProperties: true },
    example: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }],
  })
  data: object[];

  @ApiProperty({ type: String, nullable: true })
  first_id: string | null;

  @ApiProperty({ type: String, nullable: true })
  last_id: string | null;

  @ApiProperty({ example: false })
  has_more: boolean;
}

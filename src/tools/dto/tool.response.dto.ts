import { ApiProperty } from '@nestjs/swagger';
import type { JsonObject } from '../../common/index';
import type { ToolState } from '../tool.port';

export class ToolResponseDto {
  @ApiProperty({ type: String, example: 'current_time' })
  name: string;

  @ApiProperty({ type: String, example: 'The current date and time, in UTC or in a time zone.' })
  description: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'JSON schema of the arguments.',
    example: { type: 'object', properties: { timezone: { type: 'string' } } },
  })
  parameters: JsonObject;

  @ApiProperty({ type: Boolean, example: true, description: 'Can it be called now?' })
  isAvailable: boolean;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'What would help, such as `COMFYUI_URL is not set`.',
  })
  unavailableReason: string | null;

  static from({ unavailableReason: reason, ...facts }: ToolState): ToolResponseDto {
    return { ...facts, isAvailable: reason === undefined, unavailableReason: reason ?? null };
  }
}

export class ToolPageResponseDto {
  @ApiProperty({ type: [ToolResponseDto] })
  data: ToolResponseDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;

  /** `tools` is sorted by name; the cursor is the last name of the page before. */
  static from(tools: readonly ToolState[], limit: number, cursor = ''): ToolPageResponseDto {
    const rest = tools.filter((tool) => tool.name > cursor);
    const page = rest.slice(0, limit);
    const last = rest.length > limit ? page.at(-1) : undefined;
    return { data: page.map((tool) => ToolResponseDto.from(tool)), nextCursor: last?.name ?? null };
  }
}

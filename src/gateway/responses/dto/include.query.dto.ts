import { applyDecorators } from '@nestjs/common';
import { ApiHideProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsOptional } from 'class-validator';

/** What OpenAI's Responses API gives only when it is asked for. */
const INCLUDABLE = [
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
];

function Included(): PropertyDecorator {
  return applyDecorators(
    IsOptional(),
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? [value] : value)),
    IsIn(INCLUDABLE, { each: true, message: `$property must be of ${INCLUDABLE.join(', ')}` }),
  );
}

/** `include` asks for nothing here: what is kept of a response is given, images too, and the rest is never there. */
export class IncludeQueryDto {
  /** As OpenAI's clients write a list. */
  @ApiPropertyOptional({
    type: [String],
    enum: INCLUDABLE,
    description: 'Changes nothing: all that is kept of a response is given',
  })
  @Included()
  'include[]'?: string[];

  @ApiHideProperty()
  @Included()
  include?: string[];
}

import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { IdFilter, IfPresent } from '../../../common/index';
import type { ForkOptions } from '../run-forks.service';

export class ForkRequestDto {
  @IdFilter('tsk', 'This task, and all that depends on it, is done anew. Default: all that did not succeed.')
  fromTaskId?: string;

  @ApiPropertyOptional({ type: Boolean, default: false, description: 'Nothing is reused.' })
  @IfPresent()
  @IsBoolean()
  fresh?: boolean;

  @ApiPropertyOptional({ type: Boolean, default: true, description: 'Begin at once.' })
  @IfPresent()
  @IsBoolean()
  start?: boolean;

  static options({ fromTaskId, fresh, start }: ForkRequestDto): ForkOptions {
    return { fromTaskId, isFresh: fresh ?? false, start: start ?? true };
  }
}

export const FORK_EXAMPLES = {
  unfinished: { summary: 'What did not succeed, again', value: {} },
  everything: { summary: 'Everything anew', value: { fresh: true } },
};

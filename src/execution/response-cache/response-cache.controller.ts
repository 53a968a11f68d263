import { Controller, Delete, HttpCode, Query } from '@nestjs/common';
import { ApiForbiddenResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Ctx, Owned } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { CacheClearing } from './cache-clearing.service';
import { ClearCacheQueryDto } from './dto/clear-cache.query.dto';

@ApiTags('cache')
@Controller('api/v1/cache')
export class ResponseCacheController {
  constructor(private readonly clearing: CacheClearing) {}

  @Owned()
  @Delete()
  @HttpCode(204)
  @ApiOperation({
    operationId: 'clearCache',
    summary: 'Forget the answers kept for your identical requests',
    description:
      'In every process. Answers that are under way are given to those who wait for them, and not kept. Administrators clear everybody’s with `all=true`.',
  })
  @ApiNoContentResponse({ description: 'Forgotten' })
  @ApiForbiddenResponse({ description: '`all` by somebody who is no administrator' })
  clear(@Ctx() ctx: RequestContext, @Query() query: ClearCacheQueryDto): Promise<void> {
    return this.clearing.clear(ctx, query);
  }
}

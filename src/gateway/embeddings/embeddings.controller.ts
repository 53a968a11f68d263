import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Ctx, Metered } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { EmbeddingPipeline } from '../../execution/index';
import { metaHeaders, totalsHeaders } from '../completion-headers';
import { EMBEDDING_EXAMPLES, EmbeddingRequestDto } from './dto/embedding.request.dto';
import { EmbeddingListResponseDto } from './dto/embedding.response.dto';
import { EmbeddingRequests } from './embedding-requests';
import { embeddingList } from './response';
import { ApiExecutionHeaders } from '../lattice-headers.decorator';

@ApiTags('inference')
@Controller('v1/embeddings')
export class EmbeddingsController {
  constructor(
    private readonly pipeline: EmbeddingPipeline,
    private readonly requests: EmbeddingRequests,
  ) {}

  @Post()
  @HttpCode(200)
  @Metered()
  @ApiOperation({
    operationId: 'createEmbedding',
    summary: 'Turn texts into vectors, in the OpenAI dialect, billed',
    description:
      'Takes what OpenAI’s endpoint takes. `model` is an embedding model of GET /v1/models, or `auto`, `auto:cheap`, ' +
      '`auto:best`, `auto:fast`. Only other sellers of the same model take over when one fails: vectors of different models ' +
      'cannot be compared. What is too much for one request of the provider is split.',
  })
  @ApiHeader({ name: 'x-lattice-fallback', required: false, description: '`none` or `same-model` (default)' })
  @ApiExecutionHeaders()
  @ApiBody({ type: EmbeddingRequestDto, examples: EMBEDDING_EXAMPLES })
  @ApiOkResponse({ type: EmbeddingListResponseDto })
  async create(
    @Ctx() ctx: RequestContext,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const embedding = await this.pipeline.run(ctx, this.requests.read(request));
    const list = await embeddingList(embedding, request.lattice.recorder !== undefined);
    void reply
      .headers(metaHeaders(embedding.meta))
      .headers(totalsHeaders(embedding.totals))
      .type('application/json; charset=utf-8')
      .send(list);
  }
}

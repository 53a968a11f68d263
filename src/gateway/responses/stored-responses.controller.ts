import { Controller, Delete, Get, Param, Query } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Ctx, OwnedBy } from '../../auth/index';
import type { JsonObject, RequestContext } from '../../common/index';
import { GetResponseQueryDto } from './dto/get-response.query.dto';
import { ListInputItemsQueryDto } from './dto/list-input-items.query.dto';
import { ResponseDto } from './dto/response.response.dto';
import { DeletedResponseDto, InputItemListDto } from './dto/stored-response.response.dto';
import { RESPONSE } from './stored-response';
import { StoredResponses } from './stored-responses.service';

const ID = { name: 'id', type: String, example: 'resp_0192f0c1a2b37c4d8e5f60718293a4b5' };
const FOREIGN = { description: 'No such response, or not yours' };

@ApiTags('inference')
@Controller('v1/responses')
export class StoredResponsesController {
  constructor(private readonly stored: StoredResponses) {}

  @OwnedBy(RESPONSE)
  @Get(':id')
  @ApiOperation({
    operationId: 'getResponse',
    summary: 'A response that was answered before',
    description: 'Kept for 30 days, unless `store` was false; longer while a later response goes on from it.',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: ResponseDto })
  @ApiNotFoundResponse(FOREIGN)
  get(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Query() _query: GetResponseQueryDto,
  ): Promise<JsonObject> {
    return this.stored.get(ctx, id);
  }

  @OwnedBy(RESPONSE)
  @Delete(':id')
  @ApiOperation({
    operationId: 'deleteResponse',
    summary: 'Forget a response; later ones that go on from it cannot be gone on from any more',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: DeletedResponseDto })
  @ApiNotFoundResponse(FOREIGN)
  async remove(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<DeletedResponseDto> {
    await this.stored.remove(ctx, id);
    return { id, object: 'response', deleted: true };
  }

  @OwnedBy(RESPONSE)
  @Get(':id/input_items')
  @ApiOperation({
    operationId: 'listInputItems',
    summary: 'What the request of a response added to the conversation, in OpenAI’s shape',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: InputItemListDto })
  @ApiNotFoundResponse(FOREIGN)
  listInputItems(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Query() query: ListInputItemsQueryDto,
  ): Promise<InputItemListDto> {
    return this.stored.inputItems(ctx, id, query);
  }
}

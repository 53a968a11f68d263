import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Ctx, Owned } from '../auth/index';
import type { RequestContext } from '../common/index';
import { NotFoundError } from '../errors/index';
import { ModelDto, ModelListDto } from './dto/model.response.dto';
import { CallableModels } from './callable-models';

@ApiTags('inference')
@Controller('v1/models')
export class ModelsController {
  constructor(private readonly models: CallableModels) {}

  @Get()
  @Owned()
  @ApiOperation({ operationId: 'listModels', summary: 'Models that can be called now, in the OpenAI shape' })
  @ApiOkResponse({ type: ModelListDto })
  list(@Ctx() { principal }: RequestContext): ModelListDto {
    return { object: 'list', data: this.models.list(principal) };
  }

  @Get(':provider/:model')
  @Owned()
  @ApiOperation({ operationId: 'getModel', summary: 'One model by its canonical id' })
  @ApiOkResponse({ type: ModelDto })
  get(
    @Ctx() ctx: RequestContext,
    @Param('provider') provider: string,
    @Param('model') model: string,
  ): ModelDto {
    return this.found(ctx, `${provider}/${model}`);
  }

  @Get(':model')
  @Owned()
  @ApiOperation({
    operationId: 'getModelByName',
    summary: 'One model by a bare id; encode slashes or use the long form',
  })
  @ApiOkResponse({ type: ModelDto })
  getByName(@Ctx() ctx: RequestContext, @Param('model') model: string): ModelDto {
    return this.found(ctx, model);
  }

  private found({ principal }: RequestContext, id: string): ModelDto {
    const model = this.models.find(principal, id);
    if (!model)
      throw new NotFoundError(`The model "${id}" cannot be called now; GET /v1/models lists those that can`);
    return model;
  }
}

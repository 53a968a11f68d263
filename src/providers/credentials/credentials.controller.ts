import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Ctx, Owned, OwnedBy } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { CREDENTIAL } from './credential';
import { CredentialPages } from './credential.pages';
import { CredentialsService } from './credentials.service';
import {
  CREATE_EXAMPLES,
  CreateCredentialRequestDto,
  UPDATE_EXAMPLES,
  UpdateCredentialRequestDto,
} from './dto/credential.request.dto';
import { CredentialDto, CredentialPageDto, VerificationDto } from './dto/credential.response.dto';
import { ListCredentialsQueryDto } from './dto/list-credentials.query.dto';

const ID = { name: 'id', type: String, example: 'crd_0192f0c1a2b37c4d8e5f60718293a4b5' };
const FOREIGN = { description: 'No such credential, or not yours' };
const SECOND = { description: 'There is an active one for the provider, or no address to send it to' };

@ApiTags('credentials')
@ApiBearerAuth()
@Controller('api/v1/credentials')
export class CredentialsController {
  constructor(
    private readonly credentials: CredentialsService,
    private readonly pages: CredentialPages,
  ) {}

  @Owned()
  @Post()
  @ApiOperation({
    operationId: 'createCredential',
    summary: 'Call a provider with your own key',
    description: 'Stored encrypted, never shown again. It counts before the installation’s, for your calls.',
  })
  @ApiBody({ type: CreateCredentialRequestDto, examples: CREATE_EXAMPLES })
  @ApiCreatedResponse({ type: CredentialDto })
  @ApiConflictResponse(SECOND)
  async create(@Ctx() ctx: RequestContext, @Body() body: CreateCredentialRequestDto): Promise<CredentialDto> {
    const wanted = CreateCredentialRequestDto.wanted(body);
    return CredentialDto.from(ctx, await this.credentials.create(ctx, wanted));
  }

  @Owned()
  @Get()
  @ApiOperation({ operationId: 'listCredentials', summary: 'Your credentials, newest first; no secrets' })
  @ApiOkResponse({ type: CredentialPageDto })
  list(@Ctx() ctx: RequestContext, @Query() query: ListCredentialsQueryDto): Promise<CredentialPageDto> {
    return this.pages.list(ctx, query);
  }

  @OwnedBy(CREDENTIAL)
  @Get(':id')
  @ApiOperation({ operationId: 'getCredential', summary: 'One credential, without its secret' })
  @ApiParam(ID)
  @ApiOkResponse({ type: CredentialDto })
  @ApiNotFoundResponse(FOREIGN)
  async get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<CredentialDto> {
    return CredentialDto.from(ctx, await this.credentials.get(ctx, id));
  }

  @OwnedBy(CREDENTIAL)
  @Patch(':id')
  @ApiOperation({
    operationId: 'updateCredential',
    summary: 'Change a credential; owners only',
  })
  @ApiParam(ID)
  @ApiBody({ type: UpdateCredentialRequestDto, examples: UPDATE_EXAMPLES })
  @ApiOkResponse({ type: CredentialDto })
  @ApiNotFoundResponse(FOREIGN)
  @ApiConflictResponse(SECOND)
  async update(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() { name, isActive, ...rest }: UpdateCredentialRequestDto,
  ): Promise<CredentialDto> {
    const secretFor = UpdateCredentialRequestDto.readingFrom(rest);
    return CredentialDto.from(ctx, await this.credentials.update(ctx, id, { name, isActive }, secretFor));
  }

  @OwnedBy(CREDENTIAL)
  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteCredential', summary: 'Delete a credential; no later call uses it' })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiNotFoundResponse(FOREIGN)
  remove(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<void> {
    return this.credentials.remove(ctx, id);
  }

  @OwnedBy(CREDENTIAL)
  @Post(':id/verify')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'verifyCredential',
    summary: 'Try a credential at no cost; owners only',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: VerificationDto })
  @ApiNotFoundResponse(FOREIGN)
  async verify(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<VerificationDto> {
    return { result: await this.credentials.verify(ctx, id) };
  }
}

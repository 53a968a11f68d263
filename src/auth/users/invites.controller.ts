import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { PageQueryDto, type RequestContext } from '../../common/index';
import { Ctx } from '../decorators/ctx.decorator';
import { Admin } from '../decorators/route-class.decorators';
import { CreateInviteRequestDto } from '../dto/create-invite.request.dto';
import { CreatedInviteResponseDto, InvitePageResponseDto } from '../dto/invite.response.dto';
import { InvitesService } from './invites.service';

@ApiTags('users')
@Controller('api/v1/users/invites')
export class InvitesController {
  constructor(private readonly invites: InvitesService) {}

  @Admin()
  @Post()
  @ApiOperation({
    summary: 'Invite somebody to register',
    description: 'Needed when AUTH_REGISTRATION is `invite`; worth nothing while it is `closed`.',
    operationId: 'createInvite',
  })
  @ApiCreatedResponse({ type: CreatedInviteResponseDto })
  async create(
    @Ctx() ctx: RequestContext,
    @Body() body: CreateInviteRequestDto,
  ): Promise<CreatedInviteResponseDto> {
    return CreatedInviteResponseDto.fromCreated(await this.invites.create(ctx, body));
  }

  @Admin()
  @Get()
  @ApiOperation({ summary: 'Every invite, newest first', operationId: 'listInvites' })
  @ApiOkResponse({ type: InvitePageResponseDto })
  async list(@Ctx() ctx: RequestContext, @Query() query: PageQueryDto): Promise<InvitePageResponseDto> {
    return InvitePageResponseDto.from(await this.invites.list(ctx, query.limit, query.cursor));
  }

  @Admin()
  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an invite that is still unused', operationId: 'revokeInvite' })
  @ApiParam({ name: 'id', type: String, example: 'inv_0192f0c1a2b37c4d8e5f60718293a4b5' })
  @ApiNoContentResponse({ description: 'Revoked.' })
  revoke(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<void> {
    return this.invites.revoke(ctx, id);
  }
}

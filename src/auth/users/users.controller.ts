import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { RequestContext } from '../../common/index';
import { Ctx } from '../decorators/ctx.decorator';
import { Admin } from '../decorators/route-class.decorators';
import { ListUsersQueryDto } from '../dto/list-users.query.dto';
import { ManagedUserResponseDto, UserPageResponseDto } from '../dto/managed-user.response.dto';
import { UpdateUserRequestDto } from '../dto/update-user.request.dto';
import { UsersService } from './users.service';

const ID = { name: 'id', type: String, example: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5' };

@ApiTags('users')
@Controller('api/v1/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Admin()
  @Get()
  @ApiOperation({ summary: 'Every account, newest first', operationId: 'listUsers' })
  @ApiOkResponse({ type: UserPageResponseDto })
  async list(
    @Ctx() ctx: RequestContext,
    @Query() { state, role, email, ...page }: ListUsersQueryDto,
  ): Promise<UserPageResponseDto> {
    const filter = { role, email, isDisabled: state && state === 'disabled' };
    return UserPageResponseDto.from(await this.users.list(ctx, filter, page));
  }

  @Admin()
  @Get(':id')
  @ApiOperation({ summary: 'One account', operationId: 'getUser' })
  @ApiParam(ID)
  @ApiOkResponse({ type: ManagedUserResponseDto })
  async get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<ManagedUserResponseDto> {
    return ManagedUserResponseDto.from(await this.users.get(ctx, id));
  }

  @Admin()
  @Patch(':id')
  @ApiOperation({
    summary: 'Rename, disable or enable an account, or change its role',
    description: 'The last active administrator stays one: 409.',
    operationId: 'updateUser',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: ManagedUserResponseDto })
  async update(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: UpdateUserRequestDto,
  ): Promise<ManagedUserResponseDto> {
    return ManagedUserResponseDto.from(await this.users.update(ctx, id, body));
  }

  @Admin()
  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete an account with its sessions and API keys',
    description: 'What it has used stays in the books. The last active administrator stays: 409.',
    operationId: 'deleteUser',
  })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'Deleted.' })
  remove(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<void> {
    return this.users.remove(ctx, id);
  }
}

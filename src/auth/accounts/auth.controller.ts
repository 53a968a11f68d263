import { Body, Controller, Get, HttpCode, Patch, Post } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import type { RequestContext } from '../../common/index';
import { AuthService } from './auth.service';
import { Counted } from '../decorators/counted.decorator';
import { Ctx } from '../decorators/ctx.decorator';
import { Requires } from '../decorators/requires.decorator';
import { Owned, Public } from '../decorators/route-class.decorators';
import { ChangePasswordRequestDto } from '../dto/change-password.request.dto';
import { LoginRequestDto } from '../dto/login.request.dto';
import { LogoutRequestDto } from '../dto/logout.request.dto';
import { RefreshRequestDto } from '../dto/refresh.request.dto';
import { RegisterRequestDto } from '../dto/register.request.dto';
import { SessionResponseDto } from '../dto/session.response.dto';
import { UpdateMeRequestDto } from '../dto/update-me.request.dto';
import { UserResponseDto } from '../dto/user.response.dto';
import { RegistrationService } from './registration.service';
import { SessionService } from './session.service';
import { Visitor, type VisitorContext } from './visitor';

@ApiTags('auth')
@Controller('api/v1/auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly registration: RegistrationService,
    private readonly sessions: SessionService,
  ) {}

  @Public()
  @Post('register')
  @ApiSecurity({})
  @ApiOperation({
    summary: 'Create an account',
    description: 'The first account of an installation becomes its administrator.',
    operationId: 'register',
  })
  @ApiCreatedResponse({ type: SessionResponseDto })
  async register(
    @Visitor() visitor: VisitorContext,
    @Body() body: RegisterRequestDto,
  ): Promise<SessionResponseDto> {
    return SessionResponseDto.from(await this.registration.register(visitor, body));
  }

  @Public()
  @Counted('by-address')
  @Post('login')
  @HttpCode(200)
  @ApiSecurity({})
  @ApiOperation({ summary: 'Log in with email and password', operationId: 'login' })
  @ApiOkResponse({ type: SessionResponseDto })
  async login(
    @Visitor() visitor: VisitorContext,
    @Body() body: LoginRequestDto,
  ): Promise<SessionResponseDto> {
    return SessionResponseDto.from(await this.auth.login(visitor, body.email, body.password));
  }

  @Public()
  @Counted('never')
  @Post('refresh')
  @HttpCode(200)
  @ApiSecurity({})
  @ApiOperation({ summary: 'Exchange a refresh token for a new pair of tokens', operationId: 'refresh' })
  @ApiOkResponse({ type: SessionResponseDto })
  async refresh(
    @Visitor() visitor: VisitorContext,
    @Body() body: RefreshRequestDto,
  ): Promise<SessionResponseDto> {
    return SessionResponseDto.from(await this.sessions.refresh(visitor, body.refreshToken));
  }

  @Owned()
  @Requires('session:write')
  @Post('logout')
  @HttpCode(204)
  @ApiOperation({ summary: 'End this session: none of its tokens works any more', operationId: 'logout' })
  @ApiNoContentResponse({ description: 'Logged out.' })
  logout(@Ctx() ctx: RequestContext, @Body() body?: LogoutRequestDto): Promise<void> {
    return this.sessions.logout(ctx, body?.refreshToken);
  }

  @Owned()
  @Requires('session:write')
  @Post('password')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Change your password',
    description: 'Every other session of yours ends. API keys stay.',
    operationId: 'changePassword',
  })
  @ApiNoContentResponse({ description: 'Changed.' })
  changePassword(@Ctx() ctx: RequestContext, @Body() body: ChangePasswordRequestDto): Promise<void> {
    return this.auth.changePassword(ctx, body.currentPassword, body.newPassword);
  }

  @Owned()
  @Get('me')
  @ApiOperation({ summary: 'The account that is logged in', operationId: 'getMe' })
  @ApiOkResponse({ type: UserResponseDto })
  async me(@Ctx() ctx: RequestContext): Promise<UserResponseDto> {
    return UserResponseDto.from(await this.auth.me(ctx));
  }

  @Owned()
  @Patch('me')
  @ApiOperation({ summary: 'Change your name', operationId: 'updateMe' })
  @ApiOkResponse({ type: UserResponseDto })
  async updateMe(@Ctx() ctx: RequestContext, @Body() body: UpdateMeRequestDto): Promise<UserResponseDto> {
    return UserResponseDto.from(await this.auth.rename(ctx, body.name));
  }
}

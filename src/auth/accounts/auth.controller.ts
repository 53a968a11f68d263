import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { RequestContext } from '../../common/index';
import { AuthService } from './auth.service';
import { Ctx } from '../decorators/ctx.decorator';
import { Owned, Public } from '../decorators/route-class.decorators';
import { LoginRequestDto } from '../dto/login.request.dto';
import { RefreshRequestDto } from '../dto/refresh.request.dto';
import { RegisterRequestDto } from '../dto/register.request.dto';
import { SessionResponseDto } from '../dto/session.response.dto';
import { UserResponseDto } from '../dto/user.response.dto';

@ApiTags('auth')
@Controller('api/v1/auth')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @Public()
  @Post('register')
  @ApiSecurity({})
  @ApiOperation({
    summary: 'Create an account',
    description: 'The first account of an installation becomes its administrator.',
    operationId: 'register',
  })
  @ApiCreatedResponse({ type: SessionResponseDto })
  async register(@Body() body: RegisterRequestDto): Promise<SessionResponseDto> {
    return SessionResponseDto.from(await this.auth.register(body));
  }

  @Public()
  @Post('login')
  @HttpCode(200)
  @ApiSecurity({})
  @ApiOperation({ summary: 'Log in with email and password', operationId: 'login' })
  @ApiOkResponse({ type: SessionResponseDto })
  async login(@Body() body: LoginRequestDto): Promise<SessionResponseDto> {
    return SessionResponseDto.from(await this.auth.login(body.email, body.password));
  }

  @Public()
  @Post('refresh')
  @HttpCode(200)
  @ApiSecurity({})
  @ApiOperation({ summary: 'Exchange a refresh token for a new pair of tokens', operationId: 'refresh' })
  @ApiOkResponse({ type: SessionResponseDto })
  async refresh(@Body() body: RefreshRequestDto): Promise<SessionResponseDto> {
    return SessionResponseDto.from(await this.auth.refresh(body.refreshToken));
  }

  @Owned()
  @Get('me')
  @ApiOperation({ summary: 'The account that is logged in', operationId: 'getMe' })
  @ApiOkResponse({ type: UserResponseDto })
  async me(@Ctx() ctx: RequestContext): Promise<UserResponseDto> {
    return UserResponseDto.from(await this.auth.me(ctx));
  }
}

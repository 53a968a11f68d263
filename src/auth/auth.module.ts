import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeyService } from './keys/api-key.service';
import { ApiKeysController } from './keys/api-keys.controller';
import { ApiKeysRepository } from './keys/api-keys.repository';
import { AuthController } from './accounts/auth.controller';
import { AuthGuard } from './guard/auth.guard';
import { AuthService } from './accounts/auth.service';
import { Authenticator } from './guard/authenticator.service';
import { ConfiguredAdmin } from './accounts/configured-admin';
import { AccessTokenService } from './credentials/access-token.service';
import { JwtStrategy } from './credentials/jwt.strategy';
import { PasswordHasher } from './credentials/password.hasher';
import { ApiKeyEntity } from './entities/api-key.entity';
import { RefreshTokenEntity } from './entities/refresh-token.entity';
import { UserEntity } from './entities/user.entity';
import { Cursors } from './cursors';
import { OwnershipGuard } from './guard/ownership.guard';
import { KeyAllowanceHost } from './keys/key-allowances';
import { KeyActivity } from './keys/key-activity';
import { PrincipalCache } from './guard/principal-cache';
import { RefreshTokensRepository } from './accounts/refresh-tokens.repository';
import { SessionService } from './accounts/session.service';
import { SetupTokenService } from './accounts/setup-token.service';
import { UsersRepository } from './accounts/users.repository';

/** Accounts, credentials and the guard in front of every route. */
@Module({
  imports: [TypeOrmModule.forFeature([UserEntity, ApiKeyEntity, RefreshTokenEntity]), JwtModule.register({})],
  controllers: [AuthController, ApiKeysController],
  providers: [
    AuthGuard,
    OwnershipGuard,
    KeyAllowanceHost,
    Authenticator,
    Cursors,
    PrincipalCache,
    KeyActivity,
    AccessTokenService,
    JwtStrategy,
    PasswordHasher,
    UsersRepository,
    ApiKeysRepository,
    RefreshTokensRepository,
    AuthService,
    SessionService,
    ApiKeyService,
    SetupTokenService,
    ConfiguredAdmin,
  ],
  exports: [
    AuthGuard,
    OwnershipGuard,
    KeyAllowanceHost,
    Authenticator,
    AuthService,
    ApiKeyService,
    SetupTokenService,
    PrincipalCache,
    UsersRepository,
    Cursors,
  ],
})
export class AuthModule {}

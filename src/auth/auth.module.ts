import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ActingKey } from './keys/acting-key';
import { ApiKeyPages } from './keys/api-key.pages';
import { ApiKeyService } from './keys/api-key.service';
import { ApiKeysController } from './keys/api-keys.controller';
import { ApiKeysRepository } from './keys/api-keys.repository';
import { AuthController } from './accounts/auth.controller';
import { AuthGuard } from './guard/auth.guard';
import { AuthService } from './accounts/auth.service';
import { Authenticator } from './guard/authenticator.service';
import { Callers } from './guard/callers.service';
import { ConfiguredAdmin } from './accounts/configured-admin';
import { AccessTokenService } from './credentials/access-token.service';
import { JwtStrategy } from './credentials/jwt.strategy';
import { PasswordHasher } from './credentials/password.hasher';
import { Revocations } from './credentials/revocations';
import { ScopedTokenService } from './credentials/scoped-token.service';
import { ApiKeyEntity } from './entities/api-key.entity';
import { InviteEntity } from './entities/invite.entity';
import { UserEntity } from './entities/user.entity';
import { Cursors } from './cursors';
import { OwnershipGuard } from './guard/ownership.guard';
import { KeyAllowanceHost } from './keys/key-allowances';
import { KeyActivity } from './keys/key-activity';
import { PrincipalCache } from './guard/principal-cache';
import { AccountChanges } from './accounts/account-changes';
import { CredentialCleanup } from './accounts/credential-cleanup';
import { LoginSessionsRepository } from './accounts/login-sessions.repository';
import { RegistrationRules } from './accounts/registration-rules';
import { RegistrationService } from './accounts/registration.service';
import { SessionService } from './accounts/session.service';
import { TokenExchange } from './accounts/token-exchange.service';
import { SetupTokenService } from './accounts/setup-token.service';
import { UsersRepository } from './accounts/users.repository';
import { AttemptLimiter } from './brute-force/attempt-limiter';
import { AttemptsRepository } from './brute-force/attempts.repository';
import { LoginLimiter } from './brute-force/login-limiter';
import { AccountsRepository } from './users/accounts.repository';
import { InvitesController } from './users/invites.controller';
import { InvitesRepository } from './users/invites.repository';
import { InvitesService } from './users/invites.service';
import { UsersController } from './users/users.controller';
import { UsersService } from './users/users.service';

/** Accounts, credentials and the guard in front of every route. */
@Module({
  imports: [TypeOrmModule.forFeature([UserEntity, ApiKeyEntity, InviteEntity]), JwtModule.register({})],
  controllers: [AuthController, InvitesController, UsersController, ApiKeysController],
  providers: [
    AuthGuard,
    OwnershipGuard,
    KeyAllowanceHost,
    Authenticator,
    Callers,
    Cursors,
    PrincipalCache,
    KeyActivity,
    AccessTokenService,
    JwtStrategy,
    Revocations,
    AttemptLimiter,
    AttemptsRepository,
    ScopedTokenService,
    PasswordHasher,
    UsersRepository,
    ApiKeysRepository,
    LoginSessionsRepository,
    TokenExchange,
    AccountChanges,
    RegistrationRules,
    RegistrationService,
    CredentialCleanup,
    LoginLimiter,
    AccountsRepository,
    UsersService,
    InvitesRepository,
    InvitesService,
    AuthService,
    SessionService,
    ActingKey,
    ApiKeyPages,
    ApiKeyService,
    SetupTokenService,
    ConfiguredAdmin,
  ],
  exports: [
    AuthGuard,
    OwnershipGuard,
    KeyAllowanceHost,
    Authenticator,
    Callers,
    SetupTokenService,
    ScopedTokenService,
    AttemptLimiter,
    UsersRepository,
    Cursors,
  ],
})
export class AuthModule {}

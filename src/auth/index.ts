export { ApiKeyService } from './keys/api-key.service';
export { AuthGuard } from './guard/auth.guard';
export {
  InvalidCredentialsError,
  InvalidRefreshTokenError,
  LastAdministratorError,
  RegistrationFailedError,
  TooManyAttemptsError,
  WrongPasswordError,
} from './auth.errors';
export { addressGroup } from './brute-force/attempt-buckets';
export { AttemptLimiter } from './brute-force/attempt-limiter';
export { AuthModule } from './auth.module';
export { AuthService } from './accounts/auth.service';
export { Authenticator } from './guard/authenticator.service';
export { Callers } from './guard/callers.service';
export { checkAccess } from './guard/check-access';
export { Cursors, type PageSource } from './cursors';
export { Ctx } from './decorators/ctx.decorator';
export {
  Admin,
  Metered,
  Owned,
  Public,
  ROUTE_CLASS,
  type RouteClass,
} from './decorators/route-class.decorators';
export { AcceptsEventToken } from './decorators/accepts-event-token.decorator';
export { REQUIRED_PERMISSION, Requires } from './decorators/requires.decorator';
export { noSuch, ownedId } from './guard/owned-id';
export { describeAccess } from './guard/describe-access';
export { needOf, type Permission, permissionOf, SCOPES } from './guard/permissions';
export { OwnedBy, OWNERSHIP, type OwnedResource, type OwnershipRule } from './decorators/owned-by.decorator';
export {
  type KeyAllowances,
  KeyAllowanceHost,
  type KeyAllowanceStore,
  type KeyBudget,
  type KeyLimits,
} from './keys/key-allowances';
export { OwnershipGuard } from './guard/ownership.guard';
export { ApiKeyEntity } from './entities/api-key.entity';
export { InviteEntity } from './entities/invite.entity';
export { LoginSessionEntity } from './entities/login-session.entity';
export { RefreshTokenEntity } from './entities/refresh-token.entity';
export { UserEntity } from './entities/user.entity';
export { PrincipalCache } from './guard/principal-cache';
export { type ScopedToken, ScopedTokenService } from './credentials/scoped-token.service';
export { SetupTokenService } from './accounts/setup-token.service';
export { UsersRepository } from './accounts/users.repository';

export { ApiKeyService } from './keys/api-key.service';
export { AuthGuard } from './guard/auth.guard';
export { InvalidCredentialsError, InvalidRefreshTokenError, RegistrationFailedError } from './auth.errors';
export { AuthModule } from './auth.module';
export { AuthService } from './accounts/auth.service';
export { Authenticator } from './guard/authenticator.service';
export { Cursors, type PageSource } from './cursors';
export { Ctx } from './decorators/ctx.decorator';
export {
  Admin,
  Metered,
  Owned,
  Public,
  Roles,
  ROUTE_CLASS,
  ROUTE_ROLES,
  type RouteClass,
} from './decorators/route-class.decorators';
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
export { RefreshTokenEntity } from './entities/refresh-token.entity';
export { UserEntity } from './entities/user.entity';
export { PrincipalCache } from './guard/principal-cache';
export { SetupTokenService } from './accounts/setup-token.service';
export { UsersRepository } from './accounts/users.repository';

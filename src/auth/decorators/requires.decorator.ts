import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

export const REQUIRED_PERMISSION = 'lattice:required-permission';
export const PERMISSION_EXTENSION = 'x-lattice-permission';

/** Names the permission of a route whose path and method would say another, such as `events:read` on a POST. */
export const Requires = (permission: string): MethodDecorator & ClassDecorator =>
  applyDecorators(
    SetMetadata(REQUIRED_PERMISSION, permission),
    ApiExtension(PERMISSION_EXTENSION, permission),
  );

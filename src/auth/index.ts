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

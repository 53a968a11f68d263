import { ROUTE_CLASS } from '../../../src/auth/index';
import { ProvidersController } from '../../../src/providers/providers.controller';

describe(ProvidersController.name, () => {
  it.each([
    ['list', 'owned'],
    ['get', 'owned'],
    ['health', 'owned'],
    ['reset', 'admin'],
  ])('classifies %s as %s', (name, routeClass) => {
    const handler: unknown = Object.getOwnPropertyDescriptor(ProvidersController.prototype, name)?.value;
    expect(Reflect.getMetadata(ROUTE_CLASS, handler as object)).toBe(routeClass);
  });
});

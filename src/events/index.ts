export type { NewEvent } from './event';
export { EventResources, type OwnerOf } from './event-resources';
export { EventsModule } from './events.module';
export { Outbox } from './outbox';

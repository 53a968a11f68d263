export type { NewEvent } from './event';
export { EventResources, type OwnerOf } from './event-resources';
export { EventStreams } from './event-streams.service';
export { EventsModule } from './events.module';
export { Outbox } from './outbox';
export { lastEventIdOf, openEventStream } from './sse';
export { StreamQueryDto } from './dto/stream.query.dto';

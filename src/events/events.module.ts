import { Module } from '@nestjs/common';

/** What happened, for listeners that must not miss it: outbox, event streams, signed webhooks. */
@Module({})
export class EventsModule {}

import { type DynamicModule, Global, Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { AuthModule } from '../../../src/auth/index';
import { Clock, newId, type RequestContext, type Role } from '../../../src/common/index';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { type AuditEntry, AuditSink, ErrorsModule } from '../../../src/errors/index';
import { EventsModule } from '../../../src/events/index';
import { DeliverySchedule } from '../../../src/events/webhooks/delivery-schedule';
import { ObservabilityModule } from '../../../src/observability/index';
import { testEnv } from '../../support/app';
import { aContext } from '../../support/factories';

/** Stands where a test puts it, from the real time on. */
export class TestClock extends Clock {
  private aheadMs = 0;

  now(): number {
    return Date.now() + this.aheadMs;
  }

  advance(ms: number): void {
    this.aheadMs += ms;
  }
}

export class AuditNotes implements AuditSink {
  readonly entries: AuditEntry[] = [];

  async record(_ctx: RequestContext, entry: AuditEntry): Promise<void> {
    this.entries.push(entry);
  }
}

@Global()
@Module({ providers: [{ provide: AuditSink, useClass: AuditNotes }], exports: [AuditSink] })
class AuditModule {}

@Module({})
class Installation {
  static on(url: string): DynamicModule {
    const config = loadConfig(testEnv('/nonexistent', { OUTBOUND_ALLOWED_HOSTS: '127.0.0.1' }));
    return {
      module: Installation,
      imports: [
        ConfigModule.forRoot(config),
        EventEmitterModule.forRoot(),
        ObservabilityModule,
        ErrorsModule,
        DatabaseModule.forRoot(url),
        AuditModule,
        AuthModule,
        EventsModule,
      ],
    };
  }
}

export interface EventsNode {
  readonly module: TestingModule;
  readonly database: DataSource;
  readonly clock: TestClock;
  close(): Promise<void>;
}

/** One process with the events module, on a database that others may share. */
export async function startNode(
  url: string,
  options: { clock?: TestClock; schedule?: Partial<DeliverySchedule> } = {},
): Promise<EventsNode> {
  const clock = options.clock ?? new TestClock();
  const schedule = Object.assign(new DeliverySchedule(), { jitter: 0, ...options.schedule });
  const module = await Test.createTestingModule({ imports: [Installation.on(url)] })
    .overrideProvider(Clock)
    .useValue(clock)
    .overrideProvider(DeliverySchedule)
    .useValue(schedule)
    .compile();
  module.useLogger(false);
  await module.init();
  return { module, database: module.get(DataSource), clock, close: () => module.close() };
}

let users = 0;

/** A context that acts for a new user. */
export async function newCaller(database: DataSource, role: Role = 'operator'): Promise<RequestContext> {
  const userId = newId();
  users += 1;
  await database.query(
    `insert into users (id, email, name, password_hash, role) values ($1, $2, 'Ada', 'none', $3)`,
    [userId, `events-${users}@example.com`, role],
  );
  return aContext({ principal: { userId, role } });
}

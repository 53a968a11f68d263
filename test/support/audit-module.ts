import { Global, Module } from '@nestjs/common';
import { AuditSink } from '../../src/errors/index';
import { AuditLog } from '../../src/operations/audit-log';

/** The audit log as the application has it, for parts of the application under test. Needs a database. */
@Global()
@Module({ providers: [{ provide: AuditSink, useClass: AuditLog }], exports: [AuditSink] })
export class AuditModule {}

import { Injectable, type LoggerService } from '@nestjs/common';
import { type DestinationStream, destination, type Logger as Pino, pino } from 'pino';
import { AppConfig } from '../config/index';
import { LOG_EVENTS, type LogEvent } from './log-events';
import { redactFields, redactText } from './redact';

/** Parts of Nest that name every module and route at each start. */
const CHATTY_CONTEXTS = new Set<unknown>([
  'InstanceLoader',
  'RouterExplorer',
  'RoutesResolver',
  'NestFactory',
  'NestApplication',
]);

/**
 * Structured logging (one JSON object a line) behind Nest's LoggerService. Everything passes the redaction.
 * Lines are buffered and written asynchronously; `flush` writes the rest before the process leaves.
 */
@Injectable()
export class AppLogger implements LoggerService {
  private readonly pino: Pino;
  private readonly stream: DestinationStream & { flushSync?(): void };

  constructor(config: AppConfig, stream?: DestinationStream) {
    this.stream = stream ?? destination({ fd: 1, sync: false, minLength: 0 });
    this.pino = pino(
      {
        level: config.vars.LOG_LEVEL,
        base: { service: 'lattice' },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      this.stream,
    );
  }

  /** One of the known events, at the level of the table. */
  event(event: LogEvent, fields: Record<string, unknown>): void {
    const level = LOG_EVENTS[event];
    if (!this.pino.isLevelEnabled(level)) return;
    this.pino[level](redactFields({ event, ...fields }));
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write(CHATTY_CONTEXTS.has(rest.at(-1)) ? 'debug' : 'info', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  flush(): void {
    try {
      this.stream.flushSync?.();
    } catch {
      // The destination may not be open yet or gone already; there is nobody left to tell.
    }
  }

  /** Nest passes (message, …extra, context); an error's stack comes as an extra string. */
  private write(
    level: 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    rest: unknown[],
  ): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const context = rest.length > 0 && typeof rest.at(-1) === 'string' ? (rest.at(-1) as string) : undefined;
    const stack = rest.length > 1 && typeof rest[0] === 'string' ? redactText(rest[0]) : undefined;
    if (typeof message === 'object' && message !== null) {
      const fields = message instanceof Error ? { err: message } : (message as Record<string, unknown>);
      this.pino[level]({ context, ...redactFields(fields) });
      return;
    }
    this.pino[level]({ context, stack }, redactText(String(message)));
  }
}

import { AppLogger, LOG_EVENTS, type LogEvent } from '../../../src/observability/index';
import { loadConfig } from '../../../src/config/index';

function logged(level: string, work: (logger: AppLogger) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  const config = loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: 'x'.repeat(32), LOG_LEVEL: level });
  work(new AppLogger(config, { write: (line: string) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe(AppLogger.name, () => {
  it.each<[LogEvent, string]>([
    ['cache_hit', 'debug'],
    ['cache_miss', 'debug'],
    ['selection', 'info'],
    ['completion', 'info'],
    ['llm_call', 'info'],
    ['provider_ready', 'info'],
    ['failover', 'warn'],
    ['retry', 'warn'],
    ['deprecation', 'warn'],
    ['circuit', 'warn'],
    ['capacity_wait', 'warn'],
    ['validation', 'error'],
    ['provider', 'error'],
    ['security', 'fatal'],
    ['billing', 'fatal'],
    ['corruption', 'fatal'],
  ])('logs %s at %s', (event, level) => {
    const [line] = logged('debug', (logger) => logger.event(event, { requestId: 'req_1' }));
    expect(line).toMatchObject({ event, level, requestId: 'req_1', service: 'lattice' });
    expect(LOG_EVENTS[event]).toBe(level);
  });

  it('redacts events and messages alike', () => {
    const lines = logged('info', (logger) => {
      logger.event('provider', {
        reason: 'refused sk-abcdefghijklmnop',
        apiKey: 'hunter2',
        messages: ['my plan'],
      });
      logger.warn('could not use llk_abcdefghijklmnop');
      logger.error({ err: new Error('Bearer abcdefghijklmnop') });
      logger.error('failed', 'Error: sk-abcdefghijklmnop\n    at x', 'Context');
    });
    expect(JSON.stringify(lines)).not.toMatch(/abcdefghijklmnop|hunter2|my plan/);
    expect(lines).toHaveLength(4);
  });

  it('keeps the chatter of a start for debugging', () => {
    const work = (logger: AppLogger) => logger.log('Mapped {/x, GET} route', 'RouterExplorer');
    expect(logged('info', work)).toEqual([]);
    expect(logged('debug', work)).toHaveLength(1);
  });

  it('writes nothing below its level', () => {
    expect(logged('error', (logger) => logger.event('selection', {}))).toEqual([]);
  });
});

import { Logger } from '@nestjs/common';
import { DbosLogger } from '../../../src/durable/dbos/dbos-logger';

describe(DbosLogger.name, () => {
  let lines: string[];
  let now: number;

  beforeEach(() => {
    lines = [];
    now = 1000;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    for (const level of ['debug', 'warn', 'error'] as const)
      jest.spyOn(Logger.prototype, level).mockImplementation((...said: unknown[]) => {
        lines.push(`${level} ${String(said[0])}`);
      });
  });

  afterEach(() => jest.restoreAllMocks());

  it('makes news of DBOS no news of ours', () => {
    new DbosLogger().info('DBOS launched!');
    expect(lines).toEqual(['debug DBOS launched!']);
  });

  it('complains of the same once in a while, whatever ids and numbers it names, and then tells how often', () => {
    const logger = new DbosLogger();
    for (const seconds of ['0.25', '0.51', '1.02']) logger.warn(`Retrying in ${seconds}s`);
    logger.error('Another matter');
    now += 29_999;
    logger.warn('Retrying in 2.00s');
    now += 1;
    logger.warn('Retrying in 2.10s');
    expect(lines).toEqual([
      'warn Retrying in 0.25s',
      'error Another matter',
      'warn Retrying in 2.10s (and 3 times before)',
    ]);
  });

  it('does not complain of runs that were cancelled, nor of anything once the process leaves', () => {
    const logger = new DbosLogger();
    logger.warn('Workflow 1 was cancelled during execution. Waiting for the recorded outcome');
    logger.hush();
    logger.error(new Error('The system database has been shut down'));
    expect(lines.filter((line) => !line.startsWith('debug '))).toEqual([]);
  });
});

import { QueryFailedError } from 'typeorm';
import { ServiceUnavailableError, toServiceUnavailable } from '../../../src/errors/index';

const withCode = (code: string) => Object.assign(new Error('driver'), { code });

describe(toServiceUnavailable.name, () => {
  it.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    '57P01',
    '57P02',
    '57P03',
    '08001',
    '08003',
    '08006',
    '53300',
    '53200',
    '53100',
    '25006',
  ])('recognises code %s', (code) => {
    expect(toServiceUnavailable(withCode(code))).toMatchObject({ status: 503, retryAfterMs: 1000 });
  });

  it.each([
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'timeout expired',
    'Query runner already released. Cannot run queries anymore.',
    'Client has encountered a connection error and is not queryable',
  ])('recognises "%s", which has no code', (message) => {
    expect(toServiceUnavailable(new Error(message))).toBeInstanceOf(ServiceUnavailableError);
  });

  it('looks through wrapping errors', () => {
    const driver = withCode('57P01');
    expect(toServiceUnavailable(new QueryFailedError('SELECT 1', [], driver))).toBeDefined();
    expect(toServiceUnavailable(new Error('outer', { cause: driver }))).toBeDefined();
    expect(toServiceUnavailable(new AggregateError([withCode('ECONNREFUSED')]))).toBeDefined();
  });

  it('shows nothing of the failure to the caller but keeps it as the cause', () => {
    const error = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:5432'), { code: 'ECONNREFUSED' });
    const shown = toServiceUnavailable(error);
    expect(shown?.message).toBe('The database is not available');
    expect(shown?.cause).toBe(error);
  });

  it.each(['23505', '42P01', '28P01', '40001', '22P02'])('leaves code %s alone', (code) => {
    expect(toServiceUnavailable(withCode(code))).toBeUndefined();
  });

  it.each([undefined, null, 'text', new Error('else'), {}])('leaves %p alone', (error) => {
    expect(toServiceUnavailable(error)).toBeUndefined();
  });

  it('ends on a cause that leads back to itself', () => {
    const error = new Error('circle');
    error.cause = error;
    expect(toServiceUnavailable(error)).toBeUndefined();
  });
});

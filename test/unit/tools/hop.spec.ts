import { type Hop, nextHop } from '../../../src/tools/http/hop';

const READ: Hop = {
  url: 'https://a.org/start',
  method: 'GET',
  headers: { accept: '*/*', authorization: 'Bearer x', cookie: 'a=b', 'x-api-key': 'k', 'x-anything': 'y' },
};
const WRITE: Hop = {
  ...READ,
  method: 'POST',
  headers: { ...READ.headers, 'content-type': 'application/json' },
  body: '{}',
};

const to = (location: string, status = 302) => ({ status, headers: { location } });

describe('nextHop', () => {
  it.each([200, 204, 300, 304, 305, 306, 404, 500])('is none after %i', (status) => {
    expect(nextHop(READ, to('/x', status))).toBeUndefined();
  });

  it('is none without a place to go', () => {
    expect(nextHop(READ, { status: 302, headers: {} })).toBeUndefined();
    expect(nextHop(READ, to('https://'))).toBeUndefined();
  });

  it.each([301, 302, 303, 307, 308])('keeps a read and its headers on the same host after %i', (status) => {
    expect(nextHop(READ, to('next?a=1#b', status))).toEqual({ ...READ, url: 'https://a.org/next?a=1#b' });
  });

  it.each([
    ['another host', 'https://b.org/'],
    ['a host below it', 'https://sub.a.org/'],
    ['another port', 'https://a.org:444/'],
    ['plain http', 'http://a.org/'],
    ['a URL without a scheme', '//b.org/'],
  ])('hands no header that may be a credential to %s', (_, location) => {
    expect(nextHop(READ, to(location))?.headers).toEqual({ accept: '*/*' });
  });

  it.each([301, 302, 303])('reads what a write leads to after %i', (status) => {
    expect(nextHop(WRITE, to('/done', status))).toEqual({
      url: 'https://a.org/done',
      method: 'GET',
      headers: READ.headers,
    });
  });

  it.each([307, 308])('writes again after %i, on the same host only', (status) => {
    expect(nextHop(WRITE, to('/again', status))).toEqual({ ...WRITE, url: 'https://a.org/again' });
    expect(nextHop(WRITE, to('https://b.org/again', status))).toBeUndefined();
  });
});

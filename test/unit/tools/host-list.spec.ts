import { HostList } from '../../../src/tools/http/host-list';

describe(HostList.name, () => {
  it.each([
    ['api.example.com', 'https://api.example.com/x', true],
    ['api.example.com', 'http://API.example.com./x', true],
    ['api.example.com', 'https://api.example.com:8443/x', true],
    ['api.example.com', 'https://example.com', false],
    ['api.example.com', 'https://api.example.com.evil.org', false],
    ['api.example.com', 'https://xapi.example.com', false],
    ['API.Example.com', 'https://api.example.com', true],
    ['*.example.com', 'https://api.example.com', true],
    ['*.example.com', 'https://a.b.example.com', true],
    ['*.example.com', 'https://example.com', false],
    ['*.example.com', 'https://evilexample.com', false],
    ['example.com:8080', 'http://example.com:8080', true],
    ['example.com:8080', 'http://example.com', false],
    ['example.com:443', 'https://example.com', true],
    ['example.com:80', 'http://example.com', true],
    ['example.com:80', 'https://example.com', false],
    ['127.0.0.1', 'http://0x7f.1/', true],
    ['127.0.0.1', 'http://2130706433/', true],
    ['[::1]:81', 'http://[::1]:81/', true],
    ['[::1]:81', 'http://[::1]:82/', false],
    ['münchen.de', 'https://xn--mnchen-3ya.de', true],
    ['a.org, b.org', 'https://b.org', true],
    ['*', 'https://anything.org', true],
    ['', 'https://example.com', false],
  ])('"%s" and %s: %s', (list, url, isAllowed) => {
    expect(new HostList(list).allows(new URL(url))).toBe(isAllowed);
  });

  it('is empty when nothing stands in it', () => {
    expect(new HostList(undefined).isEmpty).toBe(true);
    expect(new HostList(' , ').isEmpty).toBe(true);
    expect(new HostList('*').isEmpty).toBe(false);
  });

  it.each([
    'https://example.com',
    'example.com/path',
    '*example.com',
    'a.*.com',
    'a b',
    '*.',
    '::1',
    'u@example.com',
  ])('names the entry "%s", which is no host', (entry) => {
    expect(new HostList(`a.org,${entry}`).wrongEntry).toBe(entry);
  });

  it.each([
    ['*', [], 'every public host is no private one'],
    ['intern.corp', ['intern.corp:8080'], 'the narrower of the two'],
    ['intern.corp:8080', ['intern.corp:8080'], 'the narrower of the two'],
    ['intern.corp:9090', [], 'other ports'],
    ['*.corp', ['intern.corp:8080', '10.corp'], 'all below it'],
    ['*,intern.corp:8080', ['intern.corp:8080'], 'what is named beside the star'],
    ['10.corp:1,10.corp:2', ['10.corp:1', '10.corp:2'], 'each of the ports'],
  ])('of private hosts, "%s" names %j: %s', (list, named) => {
    expect(new HostList(list).named(['intern.corp:8080', '10.corp'])).toEqual(named);
  });
});

import { signedGetHeaders } from '../../../../src/providers/adapters/bedrock/signature';

/** The credentials and the moment of Amazon's own test suite for Signature Version 4. */
const KEYS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
};
const NOW = new Date('2015-08-30T12:36:00Z');

const signatureOf = (url: string): string | undefined =>
  signedGetHeaders(new URL(url), 'service', KEYS, NOW).authorization?.split('Signature=')[1];

describe(signedGetHeaders.name, () => {
  it.each([
    [
      'get-vanilla',
      'https://example.amazonaws.com/',
      '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    ],
    [
      'get-vanilla-query-order-key-case',
      'https://example.amazonaws.com/?Param2=value2&Param1=value1',
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
  ])('agrees with %s of Amazon’s test suite', (_name, url, signature) => {
    expect(signatureOf(url)).toBe(signature);
  });

  it('names the key, the scope and the headers that it signs', () => {
    expect(signedGetHeaders(new URL('https://example.amazonaws.com/'), 'service', KEYS, NOW)).toEqual({
      'x-amz-date': '20150830T123600Z',
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20150830\/us-east-1\/service\/aws4_request, SignedHeaders=host;x-amz-date, Signature=[0-9a-f]{64}$/,
      ) as string,
    });
  });

  it('sends and signs the token of temporary credentials', () => {
    const keys = { ...KEYS, sessionToken: 'token' };
    const headers = signedGetHeaders(new URL('https://example.amazonaws.com/'), 'service', keys, NOW);
    expect(headers['x-amz-security-token']).toBe('token');
    expect(headers.authorization).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token,');
  });

  it('encodes what a query value may hold, in the order of the encoded names', () => {
    const one = signatureOf('https://example.amazonaws.com/a%3Ab?nextToken=a%2Fb%2Bc%3D%3D&maxResults=1');
    const same = signatureOf('https://example.amazonaws.com/a%3Ab?maxResults=1&nextToken=a/b%2Bc==');
    expect(one).toBe(same);
    expect(one).not.toBe(
      signatureOf('https://example.amazonaws.com/a:b?nextToken=a%2Fb%2Bc%3D%3D&maxResults=1'),
    );
  });
});

import { redact, redactText } from '../../../src/observability/index';

describe('redact', () => {
  it.each([
    'llk_abcdefgh12345678',
    'llr_abcdefgh12345678',
    'lli_abcdefgh-_345678',
    'lls_abcdefgh12345678',
    'whsec_abc+/fgh12345678=',
    'sk-proj-abcdefghij',
    'Bearer abc.def-ghi_jkl',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl',
    'AKIAIOSFODNN7EXAMPLE',
    'AIzaSyA-1234567890abcdefghijk',
  ])('hides %s inside a text', (secret) => {
    const line = redactText(`the upstream said: invalid key ${secret}, sorry`);
    expect(line).not.toContain(secret.replace('Bearer ', ''));
    expect(line).toContain('the upstream said');
  });

  it('hides the password of a URL', () => {
    expect(redactText('postgresql://lattice:hunter2@db:5432/x')).not.toContain('hunter2');
  });

  it.each([
    'authorization',
    'x-api-key',
    'apiKey',
    'password',
    'newPassword',
    'clientSecret',
    'accessToken',
    'refreshToken',
    'inviteToken',
    'invite_token',
    'setupToken',
    'setup_token',
    'cookie',
  ])('hides the field %s at any depth', (key) => {
    expect(JSON.stringify(redact({ outer: [{ [key]: 'hunter2' }] }))).not.toContain('hunter2');
  });

  it.each(['messages', 'prompt', 'content', 'body', 'requestBodyValues'])('hides the prompt in %s', (key) => {
    expect(
      JSON.stringify(redact({ request: { [key]: [{ role: 'user', content: 'my secret plan' }] } })),
    ).not.toContain('plan');
  });

  it('keeps figures, ids and token counts', () => {
    const fields = {
      promptTokens: 12,
      completionTokens: 3,
      costPicoUsd: 240_000n,
      requestId: 'req_1',
      outcome: 'succeeded',
    };
    expect(redact(fields)).toEqual({ ...fields, costPicoUsd: '240000' });
  });

  it('keeps of an error only name, message, code, stack and cause', () => {
    const error = Object.assign(new Error('refused sk-abcdefghijkl'), {
      code: 'E1',
      requestBodyValues: 'my secret plan',
    });
    const safe = JSON.stringify(redact({ err: new Error('outer', { cause: error }) }));
    expect(safe).toContain('E1');
    expect(safe).not.toContain('plan');
    expect(safe).not.toContain('sk-abcdefghijkl');
  });

  it('ends on objects that contain themselves', () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(JSON.stringify(redact(loop))).toContain('[deep]');
  });
});

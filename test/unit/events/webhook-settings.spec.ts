import type { RequestContext } from '../../../src/common/index';
import { loadConfig } from '../../../src/config/index';
import { WebhookSettingsCheck } from '../../../src/events/webhooks/webhook-settings';
import { aContext } from '../../support/factories';

describe(WebhookSettingsCheck.name, () => {
  const check = new WebhookSettingsCheck(loadConfig({ LATTICE_ENV: 'test' }));
  const ctx: RequestContext = aContext();

  it('checks and brings into form what is named, and leaves the rest out', () => {
    expect(check.checked(ctx, { url: 'https://EXAMPLE.com', events: ['run.*', 'run.*'] })).toEqual({
      url: 'https://example.com/',
      events: ['run.*'],
    });
    expect(check.checked(ctx, { isActive: false })).toEqual({ isActive: false });
  });

  it.each([
    [{ url: 'http://10.0.0.1/' }, 'URL_NOT_ALLOWED'],
    [{ events: ['webhook.failed'] }, 'VALIDATION_FAILED'],
    [{ scope: 'all' }, 'FORBIDDEN'],
  ] as const)('refuses %j', (given, code) => {
    expect(() => check.checked(ctx, given)).toThrow(expect.objectContaining({ code }));
  });

  it('takes no failure of its own for a fault of the URL', () => {
    const broken = new WebhookSettingsCheck(undefined as never);
    expect(() => broken.checked(ctx, { url: 'https://example.com' })).toThrow(TypeError);
  });
});

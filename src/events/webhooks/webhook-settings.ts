/** What a webhook may be set to, beyond what its fields say by themselves. */
import { Injectable } from '@nestjs/common';
import { checkUrl, OutboundUrlError, type RequestContext } from '../../common/index';
import { AppConfig } from '../../config/index';
import { ForbiddenError, UrlNotAllowedError, ValidationError } from '../../errors/index';
import { outboundRules } from '../outbound';
import { WEBHOOK_EVENTS, type WebhookSettings } from './webhook';

@Injectable()
export class WebhookSettingsCheck {
  constructor(private readonly config: AppConfig) {}

  /**
   * What is being set, with the URL in its normal form. What stays as it was is not looked at: its rules may have
   * changed since, and that must keep nobody from switching the webhook off.
   * @throws UrlNotAllowedError, ValidationError, ForbiddenError
   */
  checked<Given extends Partial<WebhookSettings>>(ctx: RequestContext, given: Given): Given {
    const { events, scope, url } = given;
    const own = events?.find((pattern) => pattern.startsWith(WEBHOOK_EVENTS));
    if (own !== undefined) {
      throw new ValidationError(
        `events must not name "${own}": what happens to webhooks is told in event streams only`,
        { param: 'events' },
      );
    }
    if (scope === 'all' && ctx.principal.role !== 'admin') {
      throw new ForbiddenError('Only an administrator’s webhook may ask for the events of all', {
        param: 'scope',
      });
    }
    return {
      ...given,
      ...(events && { events: [...new Set(events)] }),
      ...(url !== undefined && { url: this.normalUrl(url) }),
    };
  }

  private normalUrl(url: string): string {
    try {
      return checkUrl(url, outboundRules(this.config)).href;
    } catch (error) {
      if (error instanceof OutboundUrlError) throw new UrlNotAllowedError(error.message, { param: 'url' });
      throw error;
    }
  }
}

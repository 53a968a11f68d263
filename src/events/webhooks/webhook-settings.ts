/** What a webhook may be set to, beyond what its fields say by themselves. */
import { Injectable } from '@nestjs/common';
import { checkUrl, type RequestContext } from '../../common/index';
import { AppConfig } from '../../config/index';
import { ForbiddenError, UrlNotAllowedError, ValidationError } from '../../errors/index';
import { outboundRules } from '../outbound';
import { WEBHOOK_EVENTS, type WebhookSettings } from './webhook';

@Injectable()
export class WebhookSettingsCheck {
  constructor(private readonly config: AppConfig) {}

  /**
   * The settings with the URL in its normal form.
   * @throws UrlNotAllowedError, ValidationError, ForbiddenError
   */
  checked(ctx: RequestContext, settings: WebhookSettings): WebhookSettings {
    const own = settings.events.find((pattern) => pattern.startsWith(WEBHOOK_EVENTS));
    if (own !== undefined) {
      throw new ValidationError(
        `events must not name "${own}": what happens to webhooks is told in event streams only`,
        { param: 'events' },
      );
    }
    if (settings.scope === 'all' && ctx.principal.role !== 'admin') {
      throw new ForbiddenError('Only an administrator’s webhook may ask for the events of all', {
        param: 'scope',
      });
    }
    return { ...settings, events: [...new Set(settings.events)], url: this.normalUrl(settings.url) };
  }

  private normalUrl(url: string): string {
    try {
      return checkUrl(url, outboundRules(this.config)).href;
    } catch (error) {
      throw new UrlNotAllowedError((error as Error).message, { param: 'url' });
    }
  }
}

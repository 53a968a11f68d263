/** How this installation calls URLs that users have set. */
import { OutboundClient, type OutboundRules } from '../common/index';
import type { AppConfig } from '../config/index';

export function outboundRules(config: AppConfig): OutboundRules {
  return { allowedHosts: config.outboundAllowedHosts, isHttpAllowed: !config.isProduction };
}

export function outboundClient(config: AppConfig): OutboundClient {
  return new OutboundClient(outboundRules(config));
}

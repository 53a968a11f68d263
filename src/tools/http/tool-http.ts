import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { OutboundClient } from '../../common/index';
import { AppConfig } from '../../config/index';
import { HostList } from './host-list';

/** How long tools wait for others. */
export const TOOL_TIMEOUTS_MS = {
  ollama: 120_000,
  embeddings: 30_000,
  comfyUiSubmit: 30_000,
  /** From the submission to the finished image. */
  comfyUiPoll: 300_000,
  comfyUiView: 30_000,
  health: 2_000,
  http: 30_000,
} as const;

/**
 * The connections of all tools, pooled by host. Two doors, because what a model may write as a URL must never lead to
 * where only the administrator's configuration leads.
 */
@Injectable()
export class ToolHttp implements OnApplicationShutdown {
  /** Hosts that models may name. */
  readonly hosts: HostList;
  /** To URLs that models write, by the rule for all such URLs. */
  readonly toNamed: OutboundClient;
  /** To what the configuration names, private or not. */
  readonly toInstalled: OutboundClient;

  constructor({ vars, outboundAllowedHosts }: AppConfig) {
    this.hosts = new HostList(vars.HTTP_TOOL_HOSTS);
    // `*` opens every public host and no private one: that takes its name.
    const allowedHosts = this.hosts.named(outboundAllowedHosts);
    this.toNamed = new OutboundClient({ allowedHosts, isHttpAllowed: true });
    const installed = vars.COMFYUI_URL === undefined ? [] : [new URL(vars.COMFYUI_URL).host];
    this.toInstalled = new OutboundClient({ allowedHosts: installed, isHttpAllowed: true });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.toNamed.close(), this.toInstalled.close()]);
  }
}

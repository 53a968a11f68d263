import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { checkUrl, OutboundClient, type OutboundRules, OutboundUrlError } from '../../common/index';
import {
  AppConfig,
  mcpHeaders,
  type McpProgramSettings,
  type McpServerSettings,
  type McpUrlSettings,
  withoutValues,
} from '../../config/index';
import { UrlNotAllowedError } from '../../errors/index';
import { McpSetupError } from './failure';
import { mcpFetch } from './mcp-fetch';
import { httpTransport, type Transport } from './mcp-sdk';
import { ProgramTransport } from './program-transport';

/** The ways to MCP servers. What users set goes by the rule for all such URLs, what the administrator names by none. */
@Injectable()
export class McpDialer implements OnApplicationShutdown {
  private readonly logger = new Logger(McpDialer.name);
  private readonly rules: OutboundRules;
  private readonly toOwners: OutboundClient;
  private readonly toConfigured: OutboundClient;
  private readonly programs = new Set<ProgramTransport>();
  private readonly killAll = (): void => this.programs.forEach((program) => program.kill());

  constructor(config: AppConfig) {
    this.rules = { allowedHosts: config.outboundAllowedHosts, isHttpAllowed: !config.isProduction };
    this.toOwners = new OutboundClient(this.rules);
    const hosts = Object.values(config.mcpServers).flatMap((server) =>
      'url' in server ? [hostOf(server)] : [],
    );
    this.toConfigured = new OutboundClient({ allowedHosts: hosts, isHttpAllowed: true });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.toOwners.close(), this.toConfigured.close()]);
    process.off('exit', this.killAll);
  }

  /** The URL in its normal form. @throws UrlNotAllowedError */
  checkedUrl(url: string): string {
    try {
      return checkUrl(url, this.rules).href;
    } catch (error) {
      if (error instanceof OutboundUrlError) throw new UrlNotAllowedError(error.message, { param: 'url' });
      throw error;
    }
  }

  /** The rule is asked again at every connection. */
  owned(url: string, headers: Readonly<Record<string, string>>, timeoutMs: number): Transport {
    return httpTransport(url, headers, mcpFetch(this.toOwners, timeoutMs));
  }

  /** @throws McpSetupError naming a variable that is not set */
  configured(name: string, settings: McpServerSettings): Transport {
    if ('command' in settings) return this.program(name, settings);
    const headers = mcpHeaders(settings);
    if ('missing' in headers) throw new McpSetupError(`the variable ${headers.missing} is not set`);
    return httpTransport(settings.url, headers.values, mcpFetch(this.toConfigured, settings.timeoutMs));
  }

  private program(name: string, settings: McpProgramSettings): Transport {
    const program = new ProgramTransport(settings, (text) =>
      this.logger.debug(`${name}: ${withoutValues(text.trim(), settings.env)}`),
    );
    if (this.programs.size === 0) process.on('exit', this.killAll);
    this.programs.add(program);
    program.onGone = () => this.forget(program);
    return program;
  }

  private forget(program: ProgramTransport): void {
    this.programs.delete(program);
    if (this.programs.size === 0) process.off('exit', this.killAll);
  }
}

function hostOf({ url }: McpUrlSettings): string {
  const { host, port, protocol } = new URL(url);
  return port === '' ? `${host}:${protocol === 'http:' ? 80 : 443}` : host;
}

import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/index';
import type { McpHeaders, McpServer } from './mcp-server';

const PURPOSE = 'mcp-headers/v1';

/** Whose sealed headers are. They open for nothing else. */
export type SealedFor = Pick<McpServer, 'id' | 'userId'>;

/** Seals the headers of users' MCP servers (AES-256-GCM) with a key derived from the installation's secret key. */
@Injectable()
export class McpHeaderSeals {
  constructor(private readonly config: AppConfig) {}

  /** Null when there are none. */
  seal(bound: SealedFor, headers: McpHeaders): Buffer | null {
    if (Object.keys(headers).length === 0) return null;
    return this.config.keys.seal(PURPOSE, boundTo(bound), Buffer.from(JSON.stringify(headers)));
  }

  /** Undefined when they were altered, belong to something else, or the secret key they were sealed with is gone. */
  open(bound: SealedFor, sealed: Buffer | null): McpHeaders | undefined {
    if (sealed === null) return {};
    const plain = this.config.keys.open(PURPOSE, boundTo(bound), sealed);
    return plain && (JSON.parse(plain.toString('utf8')) as McpHeaders);
  }

  /** How everything begins that is sealed with the current secret key. */
  get currentHead(): Buffer {
    return Buffer.from(this.config.keys.current(PURPOSE).id, 'hex');
  }
}

function boundTo({ userId, id }: SealedFor): string {
  return `${userId}\0${id}`;
}

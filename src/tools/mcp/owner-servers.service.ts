import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Notifications } from '../../database/index';
import { BackgroundLoop } from '../../observability/index';
import { type Caller, ToolRegistry, type ToolSource } from '../tool-registry';
import { AttachedServer } from './attached-server';
import { ConfiguredServers, PATIENCE_MS } from './configured-servers.service';
import { McpSetupError } from './failure';
import { McpDialer } from './mcp-dialer';
import {
  IDLE,
  MCP_CALL_TIMEOUT_MS,
  type McpServer,
  type McpServerAccess,
  type McpServerState,
} from './mcp-server';
import { McpServersRepository } from './mcp-servers.repository';
import { MCP_TOOL_PREFIX } from './tool-names';

/** Where the trigger on the table tells whose servers have changed. */
const CHANNEL = 'lattice_mcp_servers';
const SWEEP_MS = 60_000;
/** After how long without use connections are closed. */
const IDLE_MS = 600_000;
const NAME_TAKEN = 'the administrator has set up a server of this name: give yours another one';
const UNREADABLE =
  'its headers cannot be opened, because the secret key of the installation has changed: set them again';

/** A user whose servers are known here. */
interface Owner {
  readonly id: string;
  readonly servers: Map<string, { readonly version: number; readonly attached: AttachedServer }>;
  readonly reading: BackgroundLoop;
  /** The newest reading, which may be under way. Undefined: what is stored may be different by now. */
  newest?: Promise<void>;
  usedAtMs: number;
}

/**
 * MCP servers of users. They are read and connected when their owner first asks for tools here, follow what any process
 * changes, and are let go when they are not used any more.
 */
@Injectable()
export class OwnerServers implements ToolSource, OnModuleInit, OnApplicationShutdown {
  private readonly owners = new Map<string, Owner>();
  private readonly sweep = new BackgroundLoop('closing idle MCP connections', SWEEP_MS, () =>
    this.letGo(Date.now() - IDLE_MS),
  );

  constructor(
    private readonly servers: McpServersRepository,
    private readonly notifications: Notifications,
    private readonly registry: ToolRegistry,
    private readonly dialer: McpDialer,
    private readonly configured: ConfiguredServers,
  ) {}

  onModuleInit(): void {
    this.registry.addSource(this);
    this.notifications.on(CHANNEL, (ownerId) => void this.changed(ownerId));
    this.notifications.onReconnect(() => this.owners.forEach(({ id }) => void this.changed(id)));
    this.sweep.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sweep.stop();
    await this.letGo(Number.POSITIVE_INFINITY);
  }

  async ready({ principal }: Caller, names?: readonly string[]): Promise<void> {
    if (names && !names.some((name) => name.startsWith(MCP_TOOL_PREFIX))) return;
    const owner = this.ownerOf(principal.userId);
    owner.usedAtMs = Date.now();
    await (owner.newest ??= owner.reading.runNow());
    await Promise.all(
      [...owner.servers.values()].map(({ attached }) => attached.connection.settled(PATIENCE_MS)),
    );
  }

  /** Resolves when what is known here of this owner is up to date, or cannot be read now. Never rejects. */
  async changed(ownerId: string): Promise<void> {
    const owner = this.owners.get(ownerId);
    if (!owner) return;
    await (owner.newest = owner.reading.runNow());
  }

  /** As it is in this process. */
  stateOf({ id, userId, name }: McpServer): McpServerState {
    if (this.configured.has(name)) return { state: 'unavailable', unavailableReason: NAME_TAKEN, tools: [] };
    const attached = this.owners.get(userId)?.servers.get(id)?.attached;
    if (!attached) return IDLE;
    const { unavailableReason } = attached.connection;
    const state = unavailableReason === undefined ? 'connected' : 'unavailable';
    return { state, unavailableReason, tools: attached.toolNames };
  }

  /** Closes what was not used since then. @param sinceMs milliseconds since the epoch */
  async letGo(sinceMs: number): Promise<void> {
    const idle = [...this.owners.values()].filter((owner) => lastUsedMs(owner) < sinceMs);
    for (const { id } of idle) this.owners.delete(id);
    const attached = idle.flatMap(({ servers }) => [...servers.values()]);
    await Promise.all(attached.map((server) => server.attached.detach()));
  }

  private ownerOf(id: string): Owner {
    const known = this.owners.get(id);
    if (known) return known;
    const reading = new BackgroundLoop('reading MCP servers', SWEEP_MS, () => this.read(owner));
    const owner: Owner = { id, servers: new Map(), reading, usedAtMs: Date.now() };
    this.owners.set(id, owner);
    return owner;
  }

  private async read(owner: Owner): Promise<void> {
    try {
      const found = await this.servers.accessOf(owner.id);
      if (this.owners.get(owner.id) === owner) this.bringInLine(owner, found);
    } catch (error) {
      owner.newest = undefined;
      throw error;
    }
  }

  private bringInLine({ servers }: Owner, found: readonly McpServerAccess[]): void {
    const usable = found.filter(({ name }) => !this.configured.has(name));
    const versions = new Map(usable.map(({ id, version }) => [id, version]));
    // First all that goes: its names may be those of what comes.
    for (const [id, { version, attached }] of servers) {
      if (versions.get(id) === version) continue;
      servers.delete(id);
      void attached.detach();
    }
    for (const server of usable) {
      if (servers.has(server.id)) continue;
      servers.set(server.id, { version: server.version, attached: this.attach(server) });
    }
  }

  private attach({ userId: ownerId, name, url, headers }: McpServerAccess): AttachedServer {
    const dial = () => {
      if (!headers) throw new McpSetupError(UNREADABLE);
      return this.dialer.owned(url, headers, MCP_CALL_TIMEOUT_MS);
    };
    const attached = new AttachedServer(this.registry, {
      name,
      ownerId,
      timeoutMs: MCP_CALL_TIMEOUT_MS,
      dial,
    });
    void attached.connection.connect();
    return attached;
  }
}

function lastUsedMs({ usedAtMs, servers }: Owner): number {
  return Math.max(usedAtMs, ...[...servers.values()].map(({ attached }) => attached.connection.lastUsedMs));
}

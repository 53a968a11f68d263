import { Injectable, Logger } from '@nestjs/common';
import { Client } from 'pg';
import { newId, SerialQueue } from '../common/index';
import { AppConfig } from '../config/index';
import { DatabaseAddress, DatabaseWatch, KEEP_ALIVE } from '../database/index';
import { ServiceUnavailableError } from '../errors/index';
import { BackgroundLoop } from '../observability/index';

const MAX_BEAT_MS = 1000;
const BEATS_PER_LEASE = 5;
const CONNECT_LIMIT_MS = 3000;
const ANSWER_LIMIT_MS = 5000;
/** PostgreSQL finds a machine that is gone in about ten seconds, not in two hours. */
const SERVER_KEEP_ALIVE = '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3';

/** After a restart of PostgreSQL every lock is free until its owner has come back. */
export const GRACE_MS = 5000;

/** Any fixed number: the keys of these locks are apart from all others. */
export const LOCK_SEED = 4242;
const KEY = `hashtextextended($1, ${LOCK_SEED})`;
const LOCK = `select pg_advisory_lock(${KEY})`;
/** A session of ours that PostgreSQL still believes in would keep the lock from the next one. */
const END_OLD_SESSION = `
  select pg_terminate_backend(pid) from pg_locks
  where locktype = 'advisory' and objsubid = 1 and mode = 'ExclusiveLock' and granted and pid <> pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database())
    and (classid::bigint << 32) | objid::bigint = ${KEY}`;
const BEAT = `
  insert into durable_nodes (id, beat_at) values ($1, clock_timestamp())
  on conflict (id) do update set beat_at = excluded.beat_at`;
/**
 * Whether PostgreSQL may have taken no connections a moment ago: its own start tells nothing of a crash recovery, which
 * comes after it. One who may see no others has to wait.
 */
const IS_JUST_BACK = `
  select not exists (
    select from pg_stat_activity
    where backend_start < now() - $1 * interval '1 millisecond'
      and ((backend_type = 'client backend' and usename = current_user)
        or backend_type in ('autovacuum launcher', 'logical replication launcher'))) as "isJustBack"`;
const LEAVE = 'delete from durable_nodes where id = $1';

/**
 * Tells the other processes that this one lives: by a lock that PostgreSQL frees in the moment the process is gone, and
 * by a beat that comes to a halt when it is stuck. Only here the session is opened again after it was lost.
 */
@Injectable()
export class Membership {
  /** New with every start: nobody takes this process for the one before it. */
  readonly nodeId = newId();
  private readonly logger = new Logger('Durable');
  private readonly leaseMs: number;
  private readonly loop: BackgroundLoop;
  private session?: Client;
  /** The session is asked one thing at a time. */
  private turns = new SerialQueue();
  /** By the clock of this process: from before the beat was sent. */
  private beatAt = -Infinity;
  private lossCount = 0;
  private rejoinedAt = -Infinity;

  constructor(
    private readonly address: DatabaseAddress,
    watch: DatabaseWatch,
    config: AppConfig,
  ) {
    this.leaseMs = config.vars.DURABLE_LEASE_MS;
    const beatMs = Math.min(MAX_BEAT_MS, this.leaseMs / BEATS_PER_LEASE);
    this.loop = new BackgroundLoop('telling that this process lives', beatMs, () => this.beat());
    watch.onDown(() => this.session?.connection.stream.destroy());
    watch.onUp(() => this.loop.wake());
  }

  /** Nobody may believe this process dead: it may take up work. */
  get isCurrent(): boolean {
    return this.session !== undefined && performance.now() - this.beatAt < this.leaseMs / 2;
  }

  /** By the clock of this process: when it, or PostgreSQL before it joined, came back; -Infinity: nobody was away. */
  get cameBackAt(): number {
    return this.rejoinedAt;
  }

  /** Before the first run: nothing may run unwatched. */
  async join(): Promise<void> {
    await this.connect();
    const [server] = await this.query<{ isJustBack: boolean }>(IS_JUST_BACK, [GRACE_MS]);
    if (server?.isJustBack) this.rejoinedAt = performance.now();
    this.loop.start();
  }

  /** After the last run. */
  async leave(): Promise<void> {
    await this.loop.stop();
    const { session } = this;
    this.session = undefined;
    await this.turns.idle();
    await session?.query(LEAVE, [this.nodeId]).catch(() => undefined);
    await session?.end().catch(() => undefined);
  }

  /**
   * On the session itself, so that who is not a member can ask nothing.
   * @throws ServiceUnavailableError without a session
   */
  async query<Row extends object>(sql: string, parameters: unknown[]): Promise<Row[]> {
    const { session } = this;
    if (!session) throw new ServiceUnavailableError('The membership session is away');
    const { rows } = await this.turns.run(() => session.query<Row>(sql, parameters));
    return rows;
  }

  private async beat(): Promise<void> {
    const { session } = this;
    if (!session) {
      await this.connect();
      return;
    }
    const sentAt = performance.now();
    try {
      await this.turns.run(() => session.query(BEAT, [this.nodeId]));
    } catch (error) {
      session.connection.stream.destroy();
      throw error;
    }
    this.noteBeat(sentAt);
  }

  private async connect(): Promise<void> {
    const session = new Client({
      connectionString: this.address.url,
      application_name: 'lattice-durable-node',
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      query_timeout: ANSWER_LIMIT_MS,
      options: SERVER_KEEP_ALIVE,
      ...KEEP_ALIVE,
    });
    session.on('error', () => undefined);
    session.once('end', () => this.lose(session));
    try {
      await session.connect();
      if (this.lossCount > 0) await session.query(END_OLD_SESSION, [this.nodeId]);
      await session.query(LOCK, [this.nodeId]);
      const sentAt = performance.now();
      await session.query(BEAT, [this.nodeId]);
      this.session = session;
      this.turns = new SerialQueue();
      this.noteBeat(sentAt);
    } catch (error) {
      session.connection.stream.destroy();
      throw error;
    }
  }

  private noteBeat(sentAt: number): void {
    if (this.beatAt > -Infinity && sentAt - this.beatAt > this.leaseMs / 2) this.rejoinedAt = sentAt;
    this.beatAt = sentAt;
  }

  private lose(session: Client): void {
    if (this.session !== session) return;
    this.session = undefined;
    this.lossCount += 1;
    this.rejoinedAt = performance.now();
    this.logger.debug('The membership session was lost');
    this.loop.wake();
  }
}

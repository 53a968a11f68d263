import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { BackgroundLoop } from '../observability/index';
import { APPLICATION_VERSION, DbosSdk } from './dbos/dbos-sdk';
import { GRACE_MS, LOCK_SEED, Membership } from './membership';
import { RUNS_LOST, WAKE_CHANNEL } from './wake-channel';

/** A run that was claimed so long ago is carried out by now, unless the answer to the claim's commit was lost. */
const CLAIM_LIMIT_MS = 5000;

const QUEUED_AGAIN = `
  set status = 'ENQUEUED', owner_xid = null, started_at_epoch_ms = null,
    updated_at = (extract(epoch from now()) * 1000)::bigint`;
const TELL = `
  select queue_name as queue, count(*)::integer as count, pg_notify('${WAKE_CHANNEL}', queue_name),
    pg_notify('${WAKE_CHANNEL}', '${RUNS_LOST}')
  from taken group by queue_name`;

/**
 * One statement judges and takes, so that a process that comes back in between keeps what it takes up then. A row that a
 * stopped process has locked does not hold up the others: the next sweep has it. Shared locks, so that two sweepers do
 * not take each other for the living owner.
 */
const SWEEP = `
  with dead as materialized (
    select owner.id
    from (select distinct executor_id as id from dbos.workflow_status where status = 'PENDING') owner
    left join durable_nodes node on node.id = owner.id
    where owner.id <> $1
      and now() - pg_postmaster_start_time() > $2 * interval '1 millisecond'
      and (node.beat_at < now() - $3 * interval '1 millisecond'
        or pg_try_advisory_xact_lock_shared(hashtextextended(owner.id, ${LOCK_SEED})))),
  left_behind as materialized (
    select workflow_uuid from dbos.workflow_status
    where status = 'PENDING' and executor_id in (select id from dead) and application_version = '${APPLICATION_VERSION}'
    for update skip locked),
  taken as (
    update dbos.workflow_status ${QUEUED_AGAIN}
    where workflow_uuid in (select workflow_uuid from left_behind)
    returning queue_name)
  ${TELL}`;

/** Whoever leaves in order has not crashed: the attempt does not count. */
const HAND_OVER = `
  with taken as (
    update dbos.workflow_status ${QUEUED_AGAIN}, recovery_attempts = greatest(recovery_attempts - 1, 0)
    where status = 'PENDING' and executor_id = $1 and ($2::text is null or workflow_uuid = $2)
    returning queue_name)
  ${TELL}`;

const CLAIMED = `
  select workflow_uuid as id, owner_xid as owner from dbos.workflow_status
  where status = 'PENDING' and executor_id = $1 and owner_xid is not null
    and started_at_epoch_ms < extract(epoch from now()) * 1000 - $2`;
/** The attempt counts, so that what cannot be begun at all is given up. */
const GIVE_BACK = `
  with stranded as materialized (
    select s.workflow_uuid from dbos.workflow_status s
    join unnest($1::text[], $2::text[]) as mine (id, owner) on s.workflow_uuid = mine.id and s.owner_xid = mine.owner
    where s.status = 'PENDING' for update of s skip locked),
  taken as (
    update dbos.workflow_status ${QUEUED_AGAIN}
    where workflow_uuid in (select workflow_uuid from stranded)
    returning queue_name)
  ${TELL}`;

interface Claimed {
  readonly id: string;
  readonly owner: string;
}

interface Taken {
  readonly queue: string;
  readonly count: number;
}

/**
 * Gives the runs of processes that are gone, or stuck, back to their queues. Every process does it for all others, and
 * for those of its own that it does not know of.
 */
@Injectable()
export class TakeOver {
  private readonly logger = new Logger('Durable');
  private readonly leaseMs: number;
  private readonly loop: BackgroundLoop;
  private readonly ownLoop: BackgroundLoop;

  constructor(
    private readonly membership: Membership,
    private readonly sdk: DbosSdk,
    config: AppConfig,
  ) {
    this.leaseMs = config.vars.DURABLE_LEASE_MS;
    this.loop = new BackgroundLoop('taking over runs', config.vars.DURABLE_SWEEP_MS, () => this.sweep());
    this.ownLoop = new BackgroundLoop('giving back runs', CLAIM_LIMIT_MS, () => this.giveBack());
  }

  start(): void {
    this.loop.start();
    this.ownLoop.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.loop.stop(), this.ownLoop.stop()]);
  }

  /** Gives one run of this process, or all, to the others. */
  async handOver(runId?: string): Promise<number> {
    const taken = await this.membership.query<Taken>(HAND_OVER, [this.membership.nodeId, runId ?? null]);
    return total(taken);
  }

  /** Asks anew every time who owns what runs: a sweep that failed loses nothing. */
  private async sweep(): Promise<void> {
    if (!this.mayJudge()) return;
    const taken = await this.membership.query<Taken>(SWEEP, [this.membership.nodeId, GRACE_MS, this.leaseMs]);
    if (taken.length > 0) this.logger.warn(`Runs of processes that are gone are carried on: ${total(taken)}`);
  }

  /** Runs that are this process's by their rows, and that it does not carry out. */
  private async giveBack(): Promise<void> {
    const { executor } = this.sdk;
    if (!executor) return;
    const claimed = await this.membership.query<Claimed>(CLAIMED, [this.membership.nodeId, CLAIM_LIMIT_MS]);
    const stranded = claimed.filter(({ id }) => !executor.systemDatabase.checkForRunningWorkflow(id));
    if (stranded.length === 0) return;
    const taken = await this.membership.query<Taken>(GIVE_BACK, [
      stranded.map(({ id }) => id),
      stranded.map(({ owner }) => owner),
    ]);
    if (taken.length > 0)
      this.logger.warn(`Runs that were claimed and not begun are begun again: ${total(taken)}`);
  }

  /** What kept this process from PostgreSQL may have kept the others too. */
  private mayJudge(): boolean {
    return this.membership.isCurrent && performance.now() - this.membership.cameBackAt > GRACE_MS;
  }
}

function total(taken: readonly Taken[]): number {
  return taken.reduce((sum, { count }) => sum + count, 0);
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Events are appended without a position, inside the transaction of what they tell. `events_publish` numbers those that
 * are committed: it locks `event_head` until it commits, so positions become visible in their order and without gaps,
 * however long other transactions stay open. The same step makes the deliveries of webhooks, so that is done once: those
 * of each webhook in one of its two statements, in the order of the events.
 */
export class CreateEventsAndWebhooks1790000006000 implements MigrationInterface {
  name = 'CreateEventsAndWebhooks1790000006000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table events (
        id uuid not null constraint events_pkey primary key,
        written bigint not null generated always as identity,
        position bigint constraint events_position_key unique,
        type text not null,
        resource text not null,
        owner_id uuid,
        data json not null,
        at timestamptz not null default clock_timestamp()
      )`);
    await queryRunner.query('create index events_unpublished_idx on events (written) where position is null');
    await queryRunner.query('create index events_owner_id_idx on events (owner_id, position)');
    await queryRunner.query('create index events_resource_idx on events (resource, position)');
    await queryRunner.query(`
      create table event_head (
        is_only boolean not null default true constraint event_head_pkey primary key,
        position bigint not null,
        constraint event_head_is_only_check check (is_only)
      )`);
    await queryRunner.query('insert into event_head (position) values (0)');
    await queryRunner.query(`
      create table webhooks (
        id uuid not null constraint webhooks_pkey primary key,
        user_id uuid not null constraint webhooks_user_id_fkey references users (id) on delete cascade,
        url text not null,
        events text[] not null,
        description text,
        is_active boolean not null,
        scope text not null,
        secret bytea not null,
        created_at timestamptz not null default clock_timestamp(),
        updated_at timestamptz not null default clock_timestamp(),
        constraint webhooks_scope_check check (scope in ('own', 'all'))
      )`);
    await queryRunner.query('create index webhooks_user_id_idx on webhooks (user_id, id)');
    await queryRunner.query(`
      create table webhook_deliveries (
        id uuid not null constraint webhook_deliveries_pkey primary key default gen_random_uuid(),
        number bigint not null generated always as identity,
        webhook_id uuid not null constraint webhook_deliveries_webhook_id_fkey references webhooks (id) on delete cascade,
        event_id uuid not null constraint webhook_deliveries_event_id_fkey references events (id) on delete cascade,
        status text not null default 'pending',
        attempts integer not null default 0,
        next_attempt_at timestamptz default clock_timestamp(),
        claim uuid,
        leased_until timestamptz,
        last_status integer,
        last_error text,
        created_at timestamptz not null default clock_timestamp(),
        finished_at timestamptz,
        constraint webhook_deliveries_event_id_webhook_id_key unique (event_id, webhook_id),
        constraint webhook_deliveries_status_check check (status in ('pending', 'delivered', 'failed'))
      )`);
    await queryRunner.query(
      'create index webhook_deliveries_webhook_id_idx on webhook_deliveries (webhook_id, number)',
    );
    await queryRunner.query(`
      create index webhook_deliveries_pending_idx on webhook_deliveries (webhook_id, next_attempt_at, number)
      where status = 'pending'`);
    await queryRunner.query("create index webhooks_all_idx on webhooks (user_id) where scope = 'all'");
    await queryRunner.query(`
      create function webhook_wants(events text[], event_type text) returns boolean language sql immutable as $$
        select event_type not like 'webhook.%' and exists (
          select from unnest(events) pattern
          where pattern in ('*', event_type)
            or (pattern like '%.*' and starts_with(event_type, left(pattern, -1)))
        )
      $$`);
    await queryRunner.query(`
      create function events_publish(batch integer) returns integer language plpgsql as $$
      declare
        base bigint;
        published integer;
      begin
        if not exists (select from events where position is null) then
          return 0;
        end if;
        select position into strict base from event_head for update;
        with fresh as (
          select id, base + row_number() over (order by written) as position
          from (select id, written from events where position is null order by written limit batch) waiting
        )
        update events e set position = fresh.position from fresh where e.id = fresh.id;
        get diagnostics published = row_count;
        if published = 0 then
          return 0;
        end if;
        update event_head set position = base + published;
        insert into webhook_deliveries (webhook_id, event_id)
        select w.id, e.id
        from events e
          join webhooks w on w.user_id = e.owner_id
          join users u on u.id = w.user_id and u.disabled_at is null
        where e.position > base and e.position <= base + published
          and not (w.scope = 'all' and u.role = 'admin')
          and w.is_active and w.created_at <= e.at and webhook_wants(w.events, e.type)
        order by e.position
        for key share of w;
        insert into webhook_deliveries (webhook_id, event_id)
        select w.id, e.id
        from events e
          join webhooks w on w.scope = 'all'
          join users u on u.id = w.user_id and u.role = 'admin' and u.disabled_at is null
        where e.position > base and e.position <= base + published
          and w.is_active and w.created_at <= e.at and webhook_wants(w.events, e.type)
        order by e.position
        for key share of w;
        return published;
      end $$`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop function events_publish(integer)');
    await queryRunner.query('drop function webhook_wants(text[], text)');
    await queryRunner.query('drop table webhook_deliveries');
    await queryRunner.query('drop table webhooks');
    await queryRunner.query('drop table event_head');
    await queryRunner.query('drop table events');
  }
}

/**
 * Limits that hold where no other is set. They stand as rows of their own, one for each user and one for all, so that
 * the hot path knows nothing of them: an explicit limit replaces the row as a whole and goes on from its windows, and
 * brings it back, empty, when it is removed.
 */
import { GLOBAL } from '../1790000003000-create-ledger/shared';

export const DEFAULT_LIMITS = [
  'alter table limits add column is_default boolean not null default false',
  `create table limit_defaults (
    is_only boolean not null default true constraint limit_defaults_pkey primary key,
    user_per_hour bigint,
    global_per_hour bigint,
    constraint limit_defaults_is_only_check check (is_only),
    constraint limit_defaults_values_check check (least(user_per_hour, global_per_hour) > 0)
  )`,
  `comment on table limit_defaults is 'Requests per hour from the configuration of the process that started last; null: no limit'`,
  'insert into limit_defaults default values',

  `create function ledger_add_default_limits(p_scope text, p_scope_ids uuid[], p_per_hour bigint) returns void
  language sql as $$
    with added as (
      insert into limits (id, scope, scope_id, requests_per_hour, is_default)
      select gen_random_uuid(), p_scope, id, p_per_hour, true from unnest(p_scope_ids) id
      on conflict do nothing returning id
    )
    insert into limit_counters (limit_id) select id from added
  $$`,

  // Whoever makes a user or removes a limit meanwhile waits for the row of limit_defaults, and is waited for.
  `create function ledger_set_default_limits(p_user bigint, p_global bigint) returns boolean language plpgsql as $$
  begin
    if exists (select from limit_defaults d where d.user_per_hour is not distinct from p_user
        and d.global_per_hour is not distinct from p_global) then
      return false;
    end if;
    update limit_defaults set user_per_hour = p_user, global_per_hour = p_global;
    update limits l set requests_per_hour = case l.scope when 'user' then p_user else p_global end
    where l.is_default and case l.scope when 'user' then p_user else p_global end is not null;
    if p_user is not null then
      perform ledger_add_default_limits('user', array(select u.id from users u where not exists (
        select from limits l where l.scope = 'user' and l.scope_id = u.id)), p_user);
    end if;
    if p_global is not null then
      perform ledger_add_default_limits('global', array[${GLOBAL}], p_global);
    end if;
    delete from limits l
    where l.is_default and case l.scope when 'user' then p_user else p_global end is null;
    return true;
  end $$`,

  `create function ledger_default_limit_of_user() returns trigger language plpgsql as $$
  declare
    v_per_hour bigint;
  begin
    select d.user_per_hour into v_per_hour from limit_defaults d for share;
    if v_per_hour is not null then
      perform ledger_add_default_limits('user', array[new.id], v_per_hour);
    end if;
    return null;
  end $$`,
  `create trigger users_add_default_limit after insert on users
    for each row execute function ledger_default_limit_of_user()`,

  `create function ledger_bring_default_limit_back() returns trigger language plpgsql as $$
  declare
    v_per_hour bigint;
  begin
    select case old.scope when 'user' then d.user_per_hour else d.global_per_hour end into v_per_hour
    from limit_defaults d for share;
    if v_per_hour is not null and (old.scope = 'global' or exists (select from users u where u.id = old.scope_id)) then
      perform ledger_add_default_limits(old.scope, array[old.scope_id], v_per_hour);
    end if;
    return null;
  end $$`,
  `create trigger limits_bring_default_back after delete on limits
    for each row when (not old.is_default and old.scope in ('user', 'global'))
    execute function ledger_bring_default_limit_back()`,
];

import { COUNTED } from './room-functions';

/** How long a process that waits keeps its place before younger ones; it asks again within a second. */
const HEAD = `interval '3 seconds'`;

export const TURN_FUNCTIONS = [
  // Renews the lease of a process and, if it may, forgets those whose lease has run out with all they had under way; one
  // that lives after all finds out by its next beat. True when the process was not known.
  `create function capacity_beat(p_process uuid, p_lease interval, p_may_reap boolean, p_now timestamptz)
  returns boolean
  language plpgsql as $$
  declare
    v_is_new boolean;
    v_dead uuid[];
  begin
    select array_agg(d.id) into v_dead from (
      select id from capacity_processes where p_may_reap and expires_at < p_now and id <> p_process for update skip locked) d;
    if v_dead is not null then
      delete from capacity_leases where process_id = any(v_dead);
      delete from capacity_processes where id = any(v_dead);
    end if;
    insert into capacity_processes as p (id, expires_at) values (p_process, p_now + p_lease)
    on conflict on constraint capacity_processes_pkey do update set expires_at = excluded.expires_at
    where p.expires_at < excluded.expires_at - p_lease / 10
    returning xmax = 0 into v_is_new;
    return coalesce(v_is_new, false);
  end $$`,

  // Ends calls. Of one that was not sent nothing counts; of others the tokens that were used: what was estimated too
  // high is given back to its second, what came beyond counts from now on. A call that has no lease is left alone.
  `create function capacity_end(p_ended json, p_now timestamptz) returns void language plpgsql as $$
  declare
    r record;
  begin
    for r in
      with gone as (
        delete from capacity_leases l
        using json_to_recordset(p_ended) as e (id uuid, scopes text[], tokens bigint, "isSent" boolean)
        where l.attempt_id = e.id and l.scope = any(e.scopes)
        returning l.scope, l.second, l.tokens as counted, e."isSent" as is_sent,
          case when e."isSent" then coalesce(e.tokens, l.tokens) else 0 end as used)
      select scope, second, count(*) filter (where not is_sent) as requests,
        sum(greatest(0, counted - used)) as saved, sum(greatest(0, used - counted)) as more
      from gone group by scope, second order by scope, second
    loop
      update capacity_windows w set requests = w.requests - r.requests, tokens = greatest(0, w.tokens - r.saved)
      where w.scope = r.scope and w.second = r.second and (r.requests > 0 or r.saved > 0);
      if r.more > 0 then
        perform capacity_count(r.scope, date_trunc('second', p_now), 0, r.more::bigint);
      end if;
    end loop;
  end $$`,

  // Serves calls in their order. Whoever finds no room keeps the scopes that lack it from all behind, here and, as the
  // one that waits the longest there, in the other processes. One that will not wait that long keeps nobody.
  // A call waits from when it was first heard of here (since), which its process says again with each question: the
  // time that a question is under way changes no order.
  `create function capacity_serve(p_process uuid, p_waiting json, p_now timestamptz)
  returns json language plpgsql as $$
  declare
    v_answers json[] := '{}';
    v_full jsonb := '{}';
    v_heads jsonb := '{}';
    v_second timestamptz := date_trunc('second', p_now);
    v_since timestamptz;
    v_refusal json;
    v_own text[];
    w record;
    s record;
    f record;
  begin
    for w in
      select e.id, e.since, e."patienceMs" as patience_ms, e.scopes
      from json_to_recordset(p_waiting) as e (id uuid, since timestamptz, "patienceMs" float8, scopes json)
    loop
      v_since := coalesce(w.since, p_now);
      v_refusal := null;
      v_own := '{}';
      for s in select v ->> 'scope' as scope, v as limits from json_array_elements(w.scopes) v loop
        if v_full ? s.scope then
          v_refusal := coalesce(v_refusal, (v_full -> s.scope)::json);
          continue;
        end if;
        select case when c.scope is not null then 'queue' else r.kind end as kind, r.wait_ms into f
        from (select 1) one
        left join capacity_scopes c on c.scope = s.scope and c.head_process <> p_process and c.head_until > p_now
          and c.head_since < v_since
        left join lateral capacity_refusal(s.scope, s.limits, p_now) r on true;
        continue when f.kind is null;
        if v_refusal is null or (v_refusal ->> 'waitMs')::integer is null or f.wait_ms > (v_refusal ->> 'waitMs')::integer
        then
          v_refusal := json_build_object('scope', s.scope, 'kind', f.kind, 'waitMs', f.wait_ms);
        end if;
        v_own := v_own || s.scope;
      end loop;

      if v_refusal is null then
        insert into capacity_leases (scope, attempt_id, process_id, second, tokens)
        select l.scope, w.id, p_process, v_second, l.need
        from json_to_recordset(w.scopes) as l (scope text, need bigint);
        perform capacity_count(l.scope, v_second, 1, l.need)
        from json_to_recordset(w.scopes) as l (scope text, requests bigint, tokens bigint, need bigint)
        where l.requests is not null or l.tokens is not null;
        v_answers := v_answers || json_build_object('id', w.id);
      elsif w.patience_ms <= 0
        or v_refusal ->> 'kind' = 'requests_per_minute' and (v_refusal ->> 'waitMs')::integer > w.patience_ms then
        v_answers := v_answers || json_build_object('id', w.id, 'refusal', v_refusal, 'isHopeless', true);
      else
        v_answers := v_answers || json_build_object('id', w.id, 'refusal', v_refusal, 'since', v_since);
        v_full := v_full || coalesce((select jsonb_object_agg(o, v_refusal) from unnest(v_own) o), '{}');
        v_heads := v_heads || coalesce((select jsonb_object_agg(o, v_since) from unnest(v_own) o), '{}');
      end if;
    end loop;
    return json_build_object('answers', v_answers, 'heads', v_heads);
  end $$`,

  // All that one process has to say and to ask: ended calls, those that it holds (when it may have lost touch), and
  // those that wait. One call in one transaction.
  `create function capacity_turn(p_process uuid, p_lease_ms integer, p_turn json, p_now timestamptz) returns json
  language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
  declare
    v_now timestamptz;
    v_lease interval := p_lease_ms * interval '1 millisecond';
    v_scopes text[] := array(select json_array_elements_text(p_turn -> 'scopes') s order by s);
    v_is_new boolean;
    v_served json;
    v_moved integer;
  begin
    insert into capacity_scopes (scope) select unnest(v_scopes) on conflict do nothing;
    perform 1 from capacity_scopes c where c.scope = any(v_scopes) order by c.scope for update;
    v_now := coalesce(p_now, clock_timestamp());
    -- Who has only just come back, or after a start of PostgreSQL, lets the others renew their leases first.
    v_is_new := capacity_beat(p_process, v_lease, (p_turn ->> 'mayReap')::boolean
      and pg_postmaster_start_time() < clock_timestamp() - v_lease, v_now);

    if p_turn -> 'held' is not null then
      perform capacity_end((
        select json_agg(json_build_object('id', l.attempt_id, 'scopes', array[l.scope], 'isSent', false))
        from capacity_leases l where l.process_id = p_process and l.attempt_id not in (
          select (h ->> 'id')::uuid from json_array_elements(p_turn -> 'held') h)), v_now);
      insert into capacity_leases (scope, attempt_id, process_id, second, tokens)
      select l.scope, h.id, p_process, date_trunc('second', v_now), l.need
      from json_to_recordset(p_turn -> 'held') as h (id uuid, scopes json)
      cross join lateral json_to_recordset(h.scopes) as l (scope text, need bigint)
      on conflict do nothing;
    end if;
    perform capacity_end(p_turn -> 'ended', v_now);
    delete from capacity_windows w where w.scope = any(v_scopes) and w.second <= v_now - ${COUNTED};

    v_served := capacity_serve(p_process, p_turn -> 'waiting', v_now);

    update capacity_scopes c set
      head_process = case when n.since is not null then p_process end,
      head_since = n.since,
      head_until = v_now + ${HEAD}
    from unnest(v_scopes) s (scope)
    cross join lateral (select (v_served -> 'heads' ->> s.scope)::timestamptz as since) n
    where c.scope = s.scope and case
      when c.head_process is null or c.head_until <= v_now then n.since is not null
      when c.head_process = p_process then
        n.since is distinct from c.head_since or c.head_until < v_now + ${HEAD} / 2
      else n.since < c.head_since end;
    get diagnostics v_moved = row_count;
    -- A place that moves on, or room that somebody else waits for.
    if (v_moved > 0 or exists (
        select from capacity_scopes c where c.scope = any(v_scopes) and c.head_process <> p_process
          and c.head_until > v_now and json_array_length(p_turn -> 'ended') > 0))
      and exists (select from capacity_processes p where p.id <> p_process and p.expires_at > v_now) then
      perform pg_notify('lattice_capacity', p_process::text);
    end if;
    return json_build_object('isNew', v_is_new, 'answers', v_served -> 'answers');
  end $$`,
];

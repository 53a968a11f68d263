/** The statements of `TaskTransitions`. Selects around them: what an update returns comes back as plain rows. */

const NOTE = 't.id, t.run_id, t.title, t.agent, t.state, t.workflow_id';
const NOW = 'clock_timestamp()';

function changing(update: string): string {
  return `with changed as (${update} returning ${NOTE}) select * from changed order by id`;
}

/** The row that everybody locks before changing anything about the runs and tasks of a project. */
export const LOCK = `
  select id from projects where id = (select project_id from tasks where id = $1) for no key update`;
export const LOCK_PROJECT = 'select id from projects where id = $1 for no key update';

export const RETRIES = 'select retries from tasks where id = $1';

/** What the rounds of a task `t` have said: the last of them, and all. */
const ROUNDS = `task_steps s where s.task_id = t.id and s.generation = t.generation and s.step like 'round-%'`;
const LAST_TEXT = `(select s.result ->> 'text' from ${ROUNDS} order by s.number desc limit 1)`;
const ALL_TEXT = `(select nullif(string_agg(s.result ->> 'text', E'\\n\\n' order by s.number), '')
  from ${ROUNDS} and s.result ->> 'text' <> '')`;

export const START = changing(`
  update tasks t set started_at = coalesce(t.started_at, ${NOW}), updated_at = ${NOW}
  where t.id = $1 and t.state = 'running' and t.workflow_id = $2`);

/** $2 which state it must be in, $3 workflow, $4 state, $5 exit reason, $6 and $7 output, $8 error, $9 who answered. */
export const CLOSE = changing(`
  update tasks t set state = $4, exit_reason = $5, error = $8::json, answered_by = $9, waiting_for = null,
    ready_at = null, completed_at = ${NOW}, updated_at = ${NOW},
    output = case $6 when 'last' then ${LAST_TEXT} when 'all' then ${ALL_TEXT} else $7 end
  where t.id = $1 and case $2
    when 'workflow' then t.state = 'running' and t.workflow_id = $3
    when 'answer' then t.state = 'waiting' and t.waiting_for = 'answer'
    else t.state in ('blocked', 'ready', 'running', 'waiting') end`);

export const FREE = `
  update tasks set open_dependencies = open_dependencies - 1, updated_at = ${NOW},
    state = case when state = 'blocked' and open_dependencies = 1 then 'ready' else state end
  where id in (select task_id from task_dependencies where depends_on = $1)`;

/** Everything that depends on $1, however far behind it. */
export const SKIP = changing(`
  update tasks t set state = 'skipped', exit_reason = 'dependency', error = $2::json, completed_at = ${NOW},
    updated_at = ${NOW}
  where t.state = 'blocked' and t.id in (
    with recursive behind as (
      select task_id from task_dependencies where depends_on = $1
      union
      select d.task_id from task_dependencies d join behind b on d.depends_on = b.task_id
    ) select task_id from behind)`);

export const WAIT = changing(`
  update tasks t set state = 'waiting', waiting_for = 'retry', retries = t.retries + $4::integer, error = $5::json,
    ready_at = ${NOW} + make_interval(secs => $3::float8 / 1000), updated_at = ${NOW}
  where t.id = $1 and t.state = 'running' and t.workflow_id = $2`);

/** Another generation is asked for under another key. Everything that is kept goes along. */
export const ASK_ANEW = `
  with anew as (
    update tasks t set generation = t.generation + 1 where t.id = $1 and t.state = 'running' and t.workflow_id = $2
    returning t.id, t.generation
  )
  update task_steps s set generation = anew.generation from anew
  where s.task_id = anew.id and s.generation = anew.generation - 1`;

export const WAIT_FOR_ANSWER = changing(`
  update tasks t set state = 'waiting', waiting_for = 'answer', updated_at = ${NOW},
    started_at = coalesce(t.started_at, ${NOW})
  where t.id = $1 and t.state = 'running' and t.workflow_id = $2`);

export const REOPEN = changing(`
  update tasks t set state = 'ready', waiting_for = null, updated_at = ${NOW}
  where t.id = $1 and t.state = 'waiting' and t.waiting_for = 'answer'`);

export const GIVE_BACK = changing(`
  update tasks t set state = 'ready', updated_at = ${NOW}
  where t.id = $1 and t.state = 'running' and t.workflow_id = $2`);

/** Returns the workflows of those that were running. */
export const CANCEL = `
  with open as (
    select id, state from tasks where run_id = $1 and state in ('blocked', 'ready', 'running', 'waiting')
    order by id for no key update
  ), changed as (
    update tasks t set state = 'cancelled', exit_reason = 'cancelled', waiting_for = null, ready_at = null,
      output = case when t.attempts > 0 then ${ALL_TEXT} end, completed_at = ${NOW}, updated_at = ${NOW}
    from open where t.id = open.id
    returning t.workflow_id, open.state as before
  )
  select workflow_id from changed where before = 'running'`;

/** Of tasks that were cancelled: workflows that may not have been told. */
export const CANCELLED = `
  select workflow_id from tasks where run_id = $1 and state = 'cancelled' and workflow_id is not null`;

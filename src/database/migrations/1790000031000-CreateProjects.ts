import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = [
  `create table agents (
    id uuid not null constraint agents_pkey primary key,
    user_id uuid not null constraint agents_user_id_fkey references users on delete cascade,
    type text not null,
    definition json not null,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    constraint agents_user_id_type_key unique (user_id, type)
  )`,
  `create table projects (
    id uuid not null constraint projects_pkey primary key,
    user_id uuid not null constraint projects_user_id_fkey references users on delete cascade,
    name text not null,
    requirements text not null,
    status text not null default 'draft',
    status_reason json,
    plan_id uuid,
    run_id uuid,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    constraint projects_status_check check (status in
      ('draft', 'planning', 'planned', 'approved', 'running', 'paused', 'completed', 'failed', 'cancelled'))
  )`,
  `create table plans (
    id uuid not null constraint plans_pkey primary key,
    project_id uuid not null constraint plans_project_id_fkey references projects on delete cascade,
    user_id uuid not null,
    version integer not null,
    state text not null,
    asked json not null,
    summary text,
    tasks json,
    warnings json not null default '[]',
    error json,
    answers json not null default '{}',
    model text,
    workflow_id text not null,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    approved_at timestamptz,
    constraint plans_project_id_version_key unique (project_id, version),
    constraint plans_state_check check (state in ('planning', 'ready', 'failed', 'approved', 'superseded'))
  )`,
  `create table planning_starts (
    plan_id uuid not null constraint planning_starts_pkey primary key,
    user_id uuid not null constraint planning_starts_user_id_fkey references users on delete cascade,
    started_at timestamptz not null default clock_timestamp()
  )`,
  `create table project_runs (
    id uuid not null constraint project_runs_pkey primary key,
    project_id uuid not null constraint project_runs_project_id_fkey references projects on delete cascade,
    user_id uuid not null,
    plan_id uuid not null,
    number integer not null,
    forked_from uuid,
    status text not null default 'approved',
    key_id uuid,
    tasks_total integer not null,
    tasks_done integer not null default 0,
    tasks_reused integer not null default 0,
    created_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    ended_at timestamptz,
    constraint project_runs_project_id_number_key unique (project_id, number),
    constraint project_runs_status_check check (status in
      ('approved', 'running', 'paused', 'completed', 'failed', 'cancelled'))
  )`,
  `create table tasks (
    id uuid not null constraint tasks_pkey primary key,
    run_id uuid not null constraint tasks_run_id_fkey references project_runs on delete cascade,
    project_id uuid not null,
    user_id uuid not null,
    position integer not null,
    title text not null,
    description text not null,
    deliverables json not null default '[]',
    success_criteria json not null default '[]',
    agent text not null,
    model text,
    metadata json not null default '{}',
    max_tokens integer not null,
    priority integer not null,
    state text not null,
    waiting_for text,
    open_dependencies integer not null,
    ready_at timestamptz,
    attempts integer not null default 0,
    retries integer not null default 0,
    generation integer not null default 0,
    workflow_id text,
    exit_reason text,
    output text,
    error json,
    answered_by text,
    reused_from uuid,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    completed_at timestamptz,
    constraint tasks_run_id_position_key unique (run_id, position),
    constraint tasks_state_check check (state in
      ('blocked', 'ready', 'running', 'waiting', 'succeeded', 'failed', 'cancelled', 'skipped')),
    constraint tasks_waiting_for_check check ((state = 'waiting') = (waiting_for is not null)),
    constraint tasks_max_tokens_check check (max_tokens between 1 and 32768),
    constraint tasks_priority_check check (priority between 0 and 100)
  )`,
  `create table task_dependencies (
    task_id uuid not null constraint task_dependencies_task_id_fkey references tasks on delete cascade,
    depends_on uuid not null constraint task_dependencies_depends_on_fkey references tasks on delete cascade,
    constraint task_dependencies_pkey primary key (task_id, depends_on)
  )`,
  `create table task_steps (
    task_id uuid not null constraint task_steps_task_id_fkey references tasks on delete cascade,
    generation integer not null,
    step text not null,
    number integer not null,
    request_id uuid,
    result json not null,
    created_at timestamptz not null default clock_timestamp(),
    constraint task_steps_pkey primary key (task_id, generation, step)
  )`,
  `create table durable_nodes (
    id text not null constraint durable_nodes_pkey primary key,
    beat_at timestamptz not null
  )`,
  `create table durable_writes (
    run_id text not null,
    step integer not null,
    result json not null,
    constraint durable_writes_pkey primary key (run_id, step)
  )`,
];

const COMMENTS = [
  `comment on table agents is 'Agent types of users; the built-in ones stand in the configuration'`,
  `comment on column plans.asked is 'Model and instructions of the request; who asked; the status of the project before'`,
  `comment on column plans.answers is 'What the model wrote, by step, kept before it is booked: a resumed planning reads it'`,
  `comment on column plans.workflow_id is 'The durable run that makes it; a planning that waits for a model goes on in another one'`,
  `comment on table planning_starts is 'Plannings of the last minute; counted here because plans go with their project'`,
  `comment on column project_runs.key_id is 'The API key that started it: its budgets and limits bind the run'`,
  `comment on column project_runs.tasks_done is 'Tasks in a state that is an end; equal to tasks_total: the run has ended'`,
  `comment on column project_runs.tasks_reused is 'Of a fork: tasks whose results are those of an earlier run'`,
  `comment on column tasks.waiting_for is 'retry: until ready_at; answer: of a person; it holds no slot'`,
  `comment on column tasks.open_dependencies is 'Dependencies that have not succeeded; 0 of a blocked task makes it ready'`,
  `comment on column tasks.retries is 'Tries after failures; tasks.attempts counts every start of a workflow'`,
  `comment on column tasks.generation is 'Steps of an earlier generation are not used any more'`,
  `comment on column tasks.reused_from is 'The task of an earlier run whose result this is'`,
  `comment on table durable_nodes is 'Processes that carry out durable runs; a beat that is too old means it has lost them'`,
  `comment on table durable_writes is 'Transactions of runs that are committed: a resumed run does none of them again'`,
  `comment on table task_steps is 'Answers of models and tools, kept before they are booked: a resumed task reads them'`,
];

const INDEXES = [
  'create index projects_user_id_idx on projects (user_id, id desc)',
  'create index planning_starts_user_id_idx on planning_starts (user_id, started_at)',
  `create index plans_planning_idx on plans (created_at) where state = 'planning'`,
  'create index tasks_project_id_idx on tasks (project_id)',
  `create index tasks_ready_idx on tasks (user_id, priority desc, run_id, position) where state = 'ready'`,
  `create index tasks_running_idx on tasks (user_id) where state = 'running'`,
  `create index tasks_crashed_idx on tasks (id) where error ->> 'code' = 'CRASHED' and state in ('ready', 'running')`,
  `create index tasks_waiting_idx on tasks (ready_at) where state = 'waiting'`,
  'create index task_dependencies_depends_on_idx on task_dependencies (depends_on)',
];

/** Projects from their requirements to the results of their tasks. Money, decisions and audit stand elsewhere and outlive them. */
export class CreateProjects1790000031000 implements MigrationInterface {
  name = 'CreateProjects1790000031000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, ...COMMENTS, ...INDEXES]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'drop table task_steps, task_dependencies, tasks, project_runs, plans, planning_starts, projects, agents, durable_nodes, durable_writes',
    );
  }
}

export const TABLES = [
  `create table capacity_processes (
    id uuid not null constraint capacity_processes_pkey primary key,
    expires_at timestamptz not null
  )`,
  // The lock of a scope, and who waits for room there the longest: nobody younger takes what becomes free meanwhile.
  `create table capacity_scopes (
    scope text not null constraint capacity_scopes_pkey primary key,
    head_process uuid,
    head_since timestamptz,
    head_until timestamptz
  )`,
  `create table capacity_windows (
    scope text not null,
    second timestamptz not null,
    requests integer not null,
    tokens bigint not null,
    constraint capacity_windows_pkey primary key (scope, second)
  )`,
  // One row for each scope of a call that is under way; it goes with its process.
  `create table capacity_leases (
    scope text not null,
    attempt_id uuid not null,
    process_id uuid not null,
    second timestamptz not null,
    tokens bigint not null,
    constraint capacity_leases_pkey primary key (scope, attempt_id)
  )`,
  'create index capacity_leases_process_id_idx on capacity_leases (process_id)',
  `comment on column capacity_leases.tokens is 'Estimated; what was counted in the window of its second'`,
];

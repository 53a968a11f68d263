/** SQL for the user whom a budget concerns: themselves, or the owner of the key, project or run; null: administrators only. */
export const BUDGET_OWNER = (table: string): string => `
  case ${table}.scope
    when 'user' then ${table}.scope_id
    when 'key' then (select k.user_id from api_keys k where k.id = ${table}.scope_id)
    when 'project' then (select p.user_id from projects p where p.id = ${table}.scope_id)
    when 'run' then (select r.user_id from project_runs r where r.id = ${table}.scope_id)
  end`;

/** SQL for the user whom a budget concerns: themselves, or the owner of the key; null: administrators only. */
export const BUDGET_OWNER = (table: string): string => `
  case ${table}.scope
    when 'user' then ${table}.scope_id
    when 'key' then (select k.user_id from api_keys k where k.id = ${table}.scope_id)
  end`;

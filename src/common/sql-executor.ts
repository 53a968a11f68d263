/** Runs a statement; an EntityManager or a DataSource is one. */
export interface SqlExecutor {
  query(sql: string, parameters?: unknown[]): Promise<unknown>;
}

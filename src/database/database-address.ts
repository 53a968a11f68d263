/** Where PostgreSQL is, for a part that needs connections of its own. */
export class DatabaseAddress {
  /** @param url postgresql://user:password@host:port/database */
  constructor(readonly url: string) {}
}

import { Client } from 'pg';
import { createTestDatabase } from '../../support/database/test-database';

describe(createTestDatabase.name, () => {
  it('gives every caller a migrated database of its own', async () => {
    const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    try {
      expect(one.url).not.toBe(other.url);
      const client = new Client({ connectionString: one.url });
      await client.connect();
      const found = await client.query(`SELECT to_regclass('migrations') IS NOT NULL AS migrated`);
      await client.end();
      expect(found.rows).toEqual([{ migrated: true }]);
    } finally {
      await Promise.all([one.drop(), other.drop()]);
    }
  });
});

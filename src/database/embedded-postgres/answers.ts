import { Client } from 'pg';

/** Whether a server answers to this URL: `yes`, `not yet`, or `foreign` when it does not know our password. */
export async function answers(url: string): Promise<'yes' | 'not yet' | 'foreign'> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return 'yes';
  } catch (error) {
    return (error as { code?: string }).code === '28P01' ? 'foreign' : 'not yet';
  } finally {
    await client.end().catch(() => undefined);
  }
}

const MAX_TRIES = 5;
/** Deadlock and serialization failure: rolled back, and safe to repeat. */
const REPEATABLE = new Set(['40P01', '40001']);

/** Runs one transaction again when PostgreSQL took it back for the sake of another. */
export async function repeatOnConflict<T>(transaction: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await transaction();
    } catch (error) {
      if (tries >= MAX_TRIES || !REPEATABLE.has(String((error as { code?: unknown }).code))) throw error;
    }
  }
}

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

/** TypeORM wraps the driver's error and copies its fields. */
export function isUniqueViolation(error: unknown, ofConstraint?: string): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return code === '23505' && (ofConstraint === undefined || constraint === ofConstraint);
}

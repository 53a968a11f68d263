import type { ThoughtStore } from '../../../src/providers/adapters/ai-sdk/kept-thoughts';
import type { KeptThought } from '../../../src/providers/index';

/** Stands for the database: what one adapter kept, another finds. */
export class StoreInMemory implements ThoughtStore {
  questions = 0;
  isAway = false;
  private readonly kept = new Map<string, string>();

  get size(): number {
    return this.kept.size;
  }

  keep(ownerId: string, thoughts: readonly KeptThought[]): Promise<void> {
    if (this.isAway) return Promise.reject(new Error('away'));
    for (const { key, thought } of thoughts) this.kept.set(`${ownerId} ${key}`, thought);
    return Promise.resolve();
  }

  find(ownerId: string, keys: readonly string[]): Promise<readonly KeptThought[]> {
    this.questions += 1;
    if (this.isAway) return Promise.reject(new Error('away'));
    const found = keys.flatMap((key) => {
      const thought = this.kept.get(`${ownerId} ${key}`);
      return thought === undefined ? [] : [{ key, thought }];
    });
    return Promise.resolve(found);
  }
}

import { SerialQueue } from '../../common/index';

/** Work of one key goes one after the other; that of different keys side by side. */
export class KeyedQueue {
  private readonly queues = new Map<string, { readonly queue: SerialQueue; waiting: number }>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const entry = this.queues.get(key) ?? { queue: new SerialQueue(), waiting: 0 };
    this.queues.set(key, entry);
    entry.waiting += 1;
    try {
      return await entry.queue.run(work);
    } finally {
      entry.waiting -= 1;
      if (entry.waiting === 0) this.queues.delete(key);
    }
  }
}

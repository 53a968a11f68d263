/** Runs pieces of work one after the other, in the order they came; one that fails stops none behind it. */
export class SerialQueue {
  private tail: Promise<unknown> = Promise.resolve();

  async run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.tail.then(work);
    this.tail = turn.catch(() => undefined);
    return await turn;
  }

  /** Resolves when all that came before has ended. */
  async idle(): Promise<void> {
    await this.tail;
  }
}

/**
 * What piles up while a write is under way goes into the next one: one producer, one consumer, bounded by weight. An
 * idle reader gets every item at once; a busy one gets fewer, larger messages; nobody gets further ahead than `limit`.
 */
export const CHUNK_BYTES = 256 * 1024;
/** No message is larger. */
export const MESSAGE_BYTES = 4 * 1024 * 1024;

export class Mailbox<T> {
  #items: T[] = [];
  #weight = 0;
  #closed = false;
  #unbound = false;
  #error: unknown;
  #reader: (() => void) | undefined;
  #writer: (() => void) | undefined;

  constructor(private limit: number) {}

  /** Adds an item. True when the box is full: await `room` before the next one. */
  put(item: T, weight: number): boolean {
    this.#items.push(item);
    this.#weight += weight;
    const reader = this.#reader;
    if (reader) {
      this.#reader = undefined;
      reader();
    }
    return this.#weight >= this.limit;
  }

  /** Resolves once the consumer has taken what was there. */
  async room(): Promise<void> {
    while (this.#weight >= this.limit && !this.#closed) await this.#takenNext();
  }

  /** Resolves once the consumer has everything that was put so far. */
  async taken(): Promise<void> {
    while (this.#items.length && !this.#closed && !this.#unbound) await this.#takenNext();
  }

  /** Nobody waits for the consumer any more. */
  unbind(): void {
    this.limit = Number.POSITIVE_INFINITY;
    this.#unbound = true;
    this.#writer?.();
    this.#writer = undefined;
  }

  /** No more items. `take` gives those left, then throws `error` or gives an empty list. */
  close(error?: unknown): void {
    this.#closed = true;
    this.#error = error;
    this.#reader?.();
    this.#writer?.();
    this.#reader = this.#writer = undefined;
  }

  /** All items since the last call; waits for one. Empty, or the error given to `close`, at the end. */
  async take(): Promise<T[]> {
    while (!this.#items.length) {
      if (this.#closed) {
        if (this.#error !== undefined) throw this.#error;
        return [];
      }
      await new Promise<void>((resolve) => {
        this.#reader = resolve;
      });
    }
    const items = this.#items;
    this.#items = [];
    this.#weight = 0;
    const writer = this.#writer;
    this.#writer = undefined;
    writer?.();
    return items;
  }

  #takenNext(): Promise<void> {
    return new Promise((resolve) => {
      this.#writer = resolve;
    });
  }
}

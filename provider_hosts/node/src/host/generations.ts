/** Records of calls as they end; how usage reaches the broker when a call was cancelled or went past it. */
import { Generation } from "../generated/mediaconduit/v1/generations.js";
import { News } from "./news.js";
import type { Run } from "./run.js";
import { toStatus } from "./status.js";

/** Records that are kept. */
const KEPT = 1000;
const PAGE = 100;

/** The last records, in the order the calls ended. */
export class Generations {
  #records: Generation[] = [];
  #count = 0;
  readonly #news = new News();

  /** Records a call that ended, however it ended. */
  add(run: Run): void {
    this.#records.push(
      Generation.fromPartial({
        name: run.call.generation,
        model: run.call.entry.name,
        capability: run.call.capability,
        labels: run.call.labels,
        usage: run.encoder.usage,
        provenance: run.provenance,
        caller: run.call.caller,
        finishes: run.error ? [] : run.encoder.finishes,
        error: run.error && toStatus(run.error),
        endTime: new Date(),
      }),
    );
    if (this.#records.length > KEPT) this.#records = this.#records.slice(-KEPT);
    this.#count += 1;
    this.#news.tell();
  }

  /** Those since `after` (all that are kept when it is forgotten), then new ones as they come, until `signal`. */
  async *watch(after: string, signal: AbortSignal): AsyncGenerator<Generation[]> {
    let seen = this.#positionAfter(after);
    const wake = (): void => this.#news.tell();
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted) {
        const oldest = this.#count - this.#records.length;
        const start = Math.max(seen - oldest, 0);
        const batch = this.#records.slice(start, start + PAGE);
        if (batch.length) {
          seen = oldest + start + batch.length;
          yield batch;
        } else await this.#news.next();
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  #positionAfter(name: string): number {
    const oldest = this.#count - this.#records.length;
    const position = name ? this.#records.findIndex((record) => record.name === name) : -1;
    return oldest + position + 1;
  }
}

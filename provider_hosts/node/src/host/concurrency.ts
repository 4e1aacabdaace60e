/** How many calls run at once, and which of them did not come back. */
import { ExhaustedError } from "../errors.js";
import { News } from "./news.js";
import type { Run } from "./run.js";

/** Running calls. Each holds a place until its code came back, stuck ones included. */
export class Calls {
  readonly #running = new Set<Run>();
  readonly #stuck = new Set<Run>();
  readonly #ended = new News();

  constructor(
    private readonly limit: () => number,
    private readonly stuckAfter: number,
  ) {}

  /** Calls that hold a place. */
  get active(): number {
    return this.#running.size;
  }

  /** Cancelled calls whose code has not come back. */
  get stuck(): number {
    return this.#stuck.size;
  }

  /** Throws `ExhaustedError` when every place is taken. */
  check(): void {
    const limit = this.limit();
    if (!limit || this.active < limit) return;
    const stuck = this.stuck ? `, ${this.stuck} of them cancelled but still blocked` : "";
    throw new ExhaustedError(`all ${limit} places of this provider are taken${stuck}`, {
      hint: "try again later, or raise the provider's maxConcurrency",
      metadata: { limit: String(limit), stuck: String(this.stuck) },
      retryAfter: 1,
    });
  }

  /** Runs a call in a place of its own, and `ended` after it. `check` first. */
  start(run: Run, ended: () => void): void {
    this.#running.add(run);
    let timer: NodeJS.Timeout | undefined;
    run.onLeave = () => {
      timer = setTimeout(() => this.#stuck.add(run), this.stuckAfter * 1000);
    };
    void run.main().finally(() => {
      clearTimeout(timer);
      run.onLeave = undefined;
      this.#running.delete(run);
      this.#stuck.delete(run);
      ended();
      this.#ended.tell();
    });
  }

  /** Cancels every call that is running. */
  cancelAll(): void {
    for (const run of this.#running) run.stop();
  }

  /** Resolves when none is running. */
  async drained(): Promise<void> {
    while (this.#running.size) await this.#ended.next();
  }
}

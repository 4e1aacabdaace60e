/** Waits for something to change. */
export class News {
  #waiting: (() => void)[] = [];

  /** Resolves at the next `tell`. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Wakes all who wait. */
  tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Resolves once `happened` says so, or at an abort or after `seconds`; says whether it happened. */
export async function within(happened: Promise<unknown>, seconds: number, signal?: AbortSignal): Promise<boolean> {
  let stop: () => void = () => undefined;
  const given = new Promise<false>((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000, false);
    const aborted = (): void => resolve(false);
    if (signal?.aborted) resolve(false);
    signal?.addEventListener("abort", aborted);
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
    };
  });
  try {
    return await Promise.race([happened.then(() => true), given]);
  } finally {
    stop();
  }
}

/** Runs one call: the author's code fills a mailbox, the handler of the call empties it. */
import { CallCancelledError, CallTimeoutError, InternalError, MediaConduitError, UnavailableError } from "../errors.js";
import { Provenance } from "../generated/mediaconduit/v1/events.js";
import type { Transformed } from "../provider.js";
import type { Yielded } from "../outputs.js";
import { Encoder } from "./encoder.js";
import type { HostCall } from "./hostCall.js";
import { log } from "./logs.js";
import { CHUNK_BYTES, Mailbox } from "./mailbox.js";
import type { CallFacts } from "./metadata.js";
import { Packer, type Item } from "./packing.js";
import { duration } from "./status.js";

/** Weight that may wait in a call's mailbox. */
const IN_FLIGHT = 64 * 1024;
/** Seconds by which the caller's clock may be ahead: who leaves so close to its deadline was driven by it. */
const DEADLINE_SLACK = 0.2;
/** Milliseconds an author may go on yielding before others get a turn. */
const TURN = 1;
/** Milliseconds that code which was told to stop has before its caller hears of the end without it. */
const LAST_WORDS = 500;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One call under way. It holds its place until `main` resolves, which is when the author's code has come back. */
export class Run {
  readonly provenance = Provenance.fromPartial({});
  error: MediaConduitError | undefined;
  readonly encoder: Encoder;
  /** Called once, when the author's code is told to stop. */
  onLeave: (() => void) | undefined;
  readonly #mailbox = new Mailbox<Item>(IN_FLIGHT);
  readonly #packer = new Packer();
  readonly #started = performance.now();
  #active = this.#started;
  #leaving = false;
  #ended = false;
  #cause: MediaConduitError | undefined;
  /** The first output was begun and has not left. */
  #leads = false;
  #beat: NodeJS.Timeout | undefined;
  #alarm: NodeJS.Timeout | undefined;
  #lastWords: NodeJS.Timeout | undefined;

  constructor(
    readonly call: HostCall,
    private readonly produce: () => Transformed,
    private readonly facts: CallFacts,
    private readonly heartbeat: number,
    private readonly clean: (error: MediaConduitError) => MediaConduitError = (error) => error,
  ) {
    this.encoder = new Encoder(this.#mailbox, (kind) => call.mediaTypeFor(kind));
  }

  // -- for the handler

  /** What the call made since the last time, serialised; undefined at the end. Throws how the call failed. */
  async take(): Promise<Buffer | undefined> {
    for (;;) {
      const items = await this.#mailbox.take();
      if (!items.length) return undefined;
      const message = this.#packer.pack(items);
      if (message.length) return message;
    }
  }

  /** The caller has left, or sent what is wrong (`cause`): stops the author's code. Only the first time counts. */
  leave(cause?: MediaConduitError): void {
    if (this.#leaving || this.#ended) return;
    this.call.left = true;
    this.#leave(cause ?? this.#whyLeft());
  }

  #leave(cause: MediaConduitError): void {
    if (this.#leaving || this.#ended) return;
    this.#leaving = true;
    this.#cause = cause;
    this.call.aborting.abort(this.#cause);
    this.call.failInputs(this.#cause);
    this.#mailbox.unbind();
    this.onLeave?.();
    this.#lastWords = setTimeout(() => this.#mailbox.close(this.#cause), LAST_WORDS);
  }

  /** The process ends. */
  stop(): void {
    this.#leave(new UnavailableError("the provider stopped before the work was done", { reason: "PROVIDER_DRAINING" }));
  }

  #whyLeft(): MediaConduitError {
    const remaining = this.call.remaining();
    if (remaining !== undefined && remaining < DEADLINE_SLACK) {
      return new CallTimeoutError("the caller's deadline passed before the work was done");
    }
    return new CallCancelledError("the caller left");
  }

  // -- the author's code

  /** Runs the author's code to its end, whatever that is, and says how it ended. Never rejects. */
  async main(): Promise<void> {
    try {
      await this.#work();
    } catch (error) {
      this.error = this.#cause ?? (error instanceof MediaConduitError ? error : this.#unexpected(error));
    }
    this.#ended = true;
    clearTimeout(this.#lastWords);
    this.#readMeter();
    this.#fillProvenance();
    if (this.error) this.error = this.clean(this.error);
    else this.encoder.completed(this.provenance);
    this.#mailbox.close(this.error);
  }

  /** All but the last event. What the call held is free again before its caller hears of the end. */
  async #work(): Promise<void> {
    this.#startTimers();
    try {
      this.encoder.onFirstOutput = () => this.#firstOutput();
      this.encoder.started(this.call.generation, this.call.entry.name);
      for (const notice of this.call.notices) this.encoder.notice(notice);
      await this.call.gatherText();
      await this.#drive(this.produce());
      this.encoder.closeOutputs();
    } finally {
      clearTimeout(this.#beat);
      clearTimeout(this.#alarm);
      await this.call.release();
    }
    if (this.#cause) throw this.#cause;
  }

  /** What `transform` gave, to its end. */
  async #drive(made: Transformed): Promise<void> {
    let source: unknown = made;
    if (isThenable(source)) source = await source;
    if (source === undefined || source === null) return;
    if (typeof source !== "string" && !(source instanceof Uint8Array) && isIterable(source)) {
      await this.#iterate(iteratorOf(source));
    } else await this.#emit(source as Yielded);
  }

  async #iterate(source: AsyncIterator<Yielded> | Iterator<Yielded>): Promise<void> {
    let last = 0;
    try {
      for (;;) {
        // Iterators that are not asynchronous give no promise, which would cost more than the rest.
        const made = source.next();
        const { done, value } = isThenable(made) ? await made : made;
        if (done) return;
        if (this.#leaving) break;
        const full = this.#emitFast(value);
        if (full) await this.#slow(value);
        const now = (this.#active = performance.now());
        if (this.#leads) {
          this.#leads = false;
          await this.#mailbox.taken(); // the first output leaves before an author who then blocks
          await turn();
        } else if (now - last > TURN) {
          await turn();
          last = performance.now();
        }
      }
    } catch (error) {
      await close(source);
      throw error;
    }
    await close(source);
  }

  async #emit(item: Yielded): Promise<void> {
    if (this.#emitFast(item)) await this.#slow(item);
  }

  /** Takes a plain piece of text or data when there is room for it; true when `#slow` must go on. */
  #emitFast(item: Yielded): boolean {
    if (typeof item === "string" && item.length <= CHUNK_BYTES) return item.length > 0 && this.encoder.text(item);
    if (Buffer.isBuffer(item) && item.length <= CHUNK_BYTES) return item.length > 0 && this.encoder.data(item);
    return true;
  }

  async #slow(item: Yielded): Promise<void> {
    const plain = typeof item === "string" || Buffer.isBuffer(item);
    if (!plain || item.length > CHUNK_BYTES) await this.encoder.other(item);
    await this.#mailbox.room();
  }

  /** What was consumed, where the author did not come to say so. */
  #readMeter(): void {
    if (this.encoder.usage) return;
    try {
      this.encoder.usage = this.call.consumed();
    } catch (error) {
      log("ERROR", `[${this.call.generation}] the call's meter failed`, error);
    }
  }

  #unexpected(error: unknown): InternalError {
    const internal = InternalError.unexpected();
    log("ERROR", `[${this.call.generation}] error id ${internal.metadata.error_id}`, error);
    return internal;
  }

  // -- time

  #startTimers(): void {
    this.#beat = setTimeout(() => this.#signOfLife(), this.heartbeat * 1000);
    const remaining = this.call.remaining();
    // Longer ones than setTimeout can tell do not matter.
    if (remaining !== undefined && remaining < 2_000_000) {
      this.#alarm = setTimeout(() => this.leave(), remaining * 1000);
    }
  }

  #signOfLife(): void {
    const now = performance.now();
    let silent = (now - this.#active) / 1000;
    if (silent >= this.heartbeat) {
      this.encoder.progress({ stage: "running" });
      this.#active = now;
      silent = 0;
    }
    this.#beat = setTimeout(() => this.#signOfLife(), (this.heartbeat - silent) * 1000);
  }

  #firstOutput(): void {
    this.#leads = true;
    this.provenance.firstOutputDuration = duration((performance.now() - this.#started) / 1000);
  }

  #fillProvenance(): void {
    const elapsed = performance.now() - this.#started;
    const name = this.call.entry.name;
    Object.assign(this.provenance, {
      ...this.encoder.facts,
      source: this.facts.source,
      totalDuration: duration(elapsed / 1000),
      startTime: new Date(Date.now() - elapsed),
      queueDuration: duration(this.facts.queueMs / 1000),
      modelDisplayName: this.call.model.displayName || this.call.model.id,
      capability: this.call.capability,
      provider: name.slice(0, name.indexOf("/models/")),
    });
  }
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | undefined)?.then === "function";
}

function isIterable(value: unknown): value is AsyncIterable<Yielded> | Iterable<Yielded> {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

function iteratorOf(source: AsyncIterable<Yielded> | Iterable<Yielded>): AsyncIterator<Yielded> | Iterator<Yielded> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

/** Closes a generator; what its clean-up throws goes to the logs, for the call has ended another way. */
async function close(source: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  try {
    await source.return?.();
  } catch (error) {
    log("ERROR", "clean-up after a call failed", error);
  }
}

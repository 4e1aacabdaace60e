/** Writes the events of one call into its mailbox: outputs begin, are fed, complete; the call ends. */
import { createHash, type Hash } from "node:crypto";
import {
  Checkpoint,
  Finish,
  FinishReason,
  Notice,
  OutputCompleted,
  OutputDelta,
  OutputKind,
  OutputStarted,
  Progress,
  Signal,
  TransformEvent,
  Usage,
  type Provenance,
} from "../generated/mediaconduit/v1/events.js";
import { MediaInfo, Part } from "../generated/mediaconduit/v1/media.js";
import type { DeepPartial, Facts } from "../outputs.js";
import { CHUNK_BYTES, MESSAGE_BYTES, type Mailbox } from "./mailbox.js";
import { Target, type Item } from "./packing.js";

/** Weight of an item beside its content: 64 KiB in flight are at most 512 items. */
export const OVERHEAD = 128;
/** Leaves room for what is joined with it. */
const EVENT_LIMIT = MESSAGE_BYTES - 512 * 1024;

/** An output that has begun and is not complete. */
export class OpenOutput {
  readonly hasher: Hash | undefined;
  size = 0;
  /** What `OutputCompleted` is to carry, for content that is not streamed. */
  part: DeepPartial<Part> | undefined;

  constructor(
    readonly index: number,
    readonly kind: OutputKind,
    /** The host began it because plain content came. */
    readonly implicit: boolean,
  ) {
    this.hasher = kind === OutputKind.DATA ? createHash("sha256") : undefined;
  }
}

/** The events of one call. Methods that write say whether the mailbox is full. */
export class EventWriter {
  protected readonly open = new Map<number, OpenOutput>();
  protected last: OpenOutput | undefined;
  #next = 0;
  protected target = -1;
  /** What the author knows about how the output came to be. */
  facts: Facts = {};
  /** What the call consumed, as last told. */
  usage: Usage | undefined;
  readonly finishes: Finish[] = [];
  /** Called when the first output begins. */
  onFirstOutput: (() => void) | undefined;

  constructor(protected readonly mailbox: Mailbox<Item>) {}

  started(generation: string, model: string): void {
    this.emit({ started: { generation, model } });
  }

  progress(progress: DeepPartial<Progress>): boolean {
    return this.emit({ progress: Progress.fromPartial(progress) });
  }

  notice(notice: DeepPartial<Notice>): boolean {
    return this.emit({ notice: Notice.fromPartial(notice) });
  }

  consumed(usage: DeepPartial<Usage>): boolean {
    this.usage = Usage.fromPartial(usage);
    return this.emit({ usage: this.usage });
  }

  checkpoint(checkpoint: DeepPartial<Checkpoint>): boolean {
    return this.emit({ checkpoint: Checkpoint.fromPartial(checkpoint) });
  }

  signal(signal: DeepPartial<Signal>): boolean {
    return this.emit({ signal: Signal.fromPartial(signal) });
  }

  /** Completes what is still open. */
  closeOutputs(): void {
    for (const output of [...this.open.values()]) this.complete(output);
    if (!this.finishes.length) this.finishes.push(Finish.fromPartial({ reason: FinishReason.STOP }));
  }

  /** The last event. */
  completed(provenance: Provenance): void {
    this.emit({ completed: { finishes: this.finishes, usage: this.usage, provenance } });
  }

  /** Begins the output that `started` describes. */
  begin(started: DeepPartial<OutputStarted>, implicit = false): OpenOutput {
    const output = new OpenOutput(this.#next++, started.kind ?? OutputKind.DATA, implicit);
    this.open.set(output.index, output);
    this.last = output;
    this.emit({ outputStarted: OutputStarted.fromPartial({ ...started, index: output.index }) });
    this.onFirstOutput?.();
    this.onFirstOutput = undefined;
    return output;
  }

  /** More bytes, at most `CHUNK_BYTES`. */
  feedData(output: OpenOutput, data: Buffer): boolean {
    if (output.index !== this.target) this.#aim(output);
    if (!output.hasher) throw new TypeError("bytes were yielded into an output that holds none");
    output.hasher.update(data);
    output.size += data.length;
    return this.mailbox.put(data, data.length + OVERHEAD);
  }

  /** Bytes of any number, in pieces, each when there is room. */
  async feedAllData(output: OpenOutput, data: Buffer): Promise<boolean> {
    let full = false;
    for (let start = 0; start < data.length; start += CHUNK_BYTES) {
      if (full) await this.mailbox.room();
      full = this.feedData(output, data.subarray(start, start + CHUNK_BYTES));
    }
    return full;
  }

  /** More text, at most `CHUNK_BYTES` characters. */
  feedPlainText(output: OpenOutput, text: string): boolean {
    if (output.index !== this.target) this.#aim(output);
    return this.mailbox.put(text, text.length + OVERHEAD);
  }

  /** More text, of any length. */
  async feedText(output: OpenOutput, text: string): Promise<boolean> {
    if (output.kind === OutputKind.DATA) return this.feedAllData(output, Buffer.from(text));
    let full = false;
    for (let start = 0; start < text.length; start += CHUNK_BYTES) {
      if (full) await this.mailbox.room();
      full = this.feedPlainText(output, text.slice(start, start + CHUNK_BYTES));
    }
    return full;
  }

  /** A segment of a transcript, a source, or what the vendor needs back with the output. */
  attach(output: OpenOutput, item: DeepPartial<OutputDelta>): boolean {
    this.last = output;
    return this.emit({ outputDelta: OutputDelta.fromPartial({ ...item, index: output.index }) });
  }

  /** Ends an output. */
  complete(output: OpenOutput, info?: DeepPartial<MediaInfo>): boolean {
    this.open.delete(output.index);
    const completed: DeepPartial<OutputCompleted> = { index: output.index, info };
    if (output.part) completed.part = output.part;
    else if (output.hasher) {
      completed.sizeBytes = output.size;
      completed.sha256 = output.hasher.digest("hex");
    }
    return this.emit({ outputCompleted: OutputCompleted.fromPartial(completed) });
  }

  /** Any event. Throws `RangeError` for one that no message can hold. */
  emit(partial: Partial<TransformEvent>): boolean {
    const event: TransformEvent = { sequence: 0, ...partial };
    const size = TransformEvent.encode(event).finish().length;
    if (size > EVENT_LIMIT) {
      throw new RangeError(`what was yielded makes an event of ${size} bytes; at most ${EVENT_LIMIT} fit a message`);
    }
    return this.mailbox.put(event, size + OVERHEAD);
  }

  /** The plain items that follow belong to this output. */
  #aim(output: OpenOutput): void {
    this.target = output.index;
    this.last = output;
    this.mailbox.put(new Target(output.index), 0);
  }
}

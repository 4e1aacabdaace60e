/** What `transform` and `live` are given. */
import type { Usage } from "./generated/mediaconduit/v1/events.js";
import type { TransformOptions } from "./generated/mediaconduit/v1/options.js";
import type { Part, Turn } from "./generated/mediaconduit/v1/media.js";
import type { DeepPartial } from "./outputs.js";
import type { Model } from "./provider.js";

/** One part of the input, whole or still arriving. Reads the same either way. */
export interface Input {
  /** `Part.name`; empty for the main input. */
  readonly name: string;
  /** IANA media type. */
  readonly mediaType: string;
  /** Where it stands in the request ("turns[0].parts[1]"), for errors. */
  readonly field: string;
  /** Its text; empty when it holds none. */
  readonly text: string;
  /** Where a vendor can fetch it, when the caller sent a reference instead of content; else empty. */
  readonly uri: string;
  /** Bytes in all; undefined while it arrives. */
  readonly size: number | undefined;
  /**
   * Its bytes as they come, at most 256 KiB each. A part that arrives in pieces can be read once. An empty chunk is a
   * flush: the caller wants what has come worked on before more comes.
   */
  chunks(): AsyncIterableIterator<Buffer>;
  /** All of it, in memory. */
  bytes(): Promise<Buffer>;
  /** All of it as a file, removed when the call ends. For content that must be seekable or is large. */
  path(): Promise<string>;
  /** Its text. */
  toString(): string;
}

/** Writes lines that carry the call's generation. */
export interface CallLog {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string, cause?: unknown): void;
}

/** One call. */
export interface Call {
  /** The model asked for. */
  readonly model: Model;
  /** What is wanted; the model's only one when the caller named none. */
  readonly capability: string;
  /** The conversation as sent. */
  readonly turns: readonly Turn[];
  /** As sent and validated. */
  readonly options: TransformOptions;
  /** Aborted when the caller leaves, its deadline passes or the provider stops. */
  readonly signal: AbortSignal;
  /** For accounting. */
  readonly labels: Readonly<Record<string, string>>;
  /** Calls of one conversation share it: pass it on as the vendor's cache key. */
  readonly affinityKey: string;
  /** From an earlier checkpoint: go on with that work. Empty otherwise. */
  readonly resumeToken: Buffer;
  /** "generations/{id}": the record of this call. */
  readonly generation: string;
  /** Who calls, as the broker says; empty without a broker. */
  readonly caller: string;
  readonly log: CallLog;
  /**
   * Whether the caller has cancelled or was lost. A call whose signal is aborted without was stopped with its sidecar,
   * and may be resumed by another one.
   */
  readonly left: boolean;
  /** Says how to count what the call has consumed. Asked once, if the call ends before a usage was yielded. */
  meter(consumed: () => DeepPartial<Usage>): void;
  /** Text of the last user turn's main input, its parts joined; empty when there is none. */
  readonly text: string;
  /** Text of the system turns, joined by empty lines. */
  readonly system: string;
  /** Inputs of the user turns with this name, in order; the main ones without a name. */
  inputs(name?: string): Input[];
  /** The first of `inputs`. Throws `InvalidRequestError` when there is none. */
  input(name?: string): Input;
  /** An option by its path ("audio.speed", "extra.word_gap"), else its schema's default. Durations in seconds. */
  option<T = any>(path: string): T | undefined;
  option<T>(path: string, fallback: T): T;
  /**
   * The media type to make: the first offered one that the caller wants, else the first. Nothing offered = the
   * model's `outputMediaTypes`. Throws `InvalidRequestError` when the caller wants others.
   */
  mediaType(...offered: string[]): string;
  /** A private folder for temporary files, removed when the call ends. */
  folder(): Promise<string>;
  /** Seconds until the caller's deadline; undefined without one. */
  remaining(): number | undefined;
}

/** What a caller sends after the start of a live session. */
export type Piece =
  | { turn: Turn }
  /** Stop what is being said: output that was playing, and seconds of it that were heard. */
  | { interrupt: { index: number | undefined; played: number } }
  /** Answer now. */
  | { respond: true }
  /** Already in force as `options`. */
  | { options: TransformOptions };

/** A live call: iterate to get what the caller sends after the start, in order, until it half-closes. */
export interface Session extends Call, AsyncIterable<Piece> {
  /** How to read a part of a turn, also one that arrives in chunks. */
  partInput(part: Part): Input;
}

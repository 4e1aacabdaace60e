/**
 * What `transform` may yield:
 *
 * | yielded                                       | becomes                                                          |
 * |-----------------------------------------------|------------------------------------------------------------------|
 * | a string                                      | text, appended to the current text output                        |
 * | a Uint8Array or Buffer                        | data, appended to the current data output (`ctx.mediaType`)      |
 * | `{file: {path, mediaType}}`                   | an output with a file's content, in chunks                       |
 * | an `Output`                                   | starts that output now, before any content                       |
 * | what the methods of an `Output` return        | more of that output among several                                |
 * | `{reasoning}`                                 | reasoning, appended to the current reasoning output              |
 * | `{toolCall}` `{toolResult}`                   | an output of its own, complete                                   |
 * | `{transcript}` `{segment}`                    | a transcript, or a segment added to the current one              |
 * | `{embedding}` `{scores}` `{part}`             | an output of its own, complete                                   |
 * | `{citation}` `{vendorState}`                  | attached to the current output                                   |
 * | `{progress}` `{notice}`                       | passed on                                                        |
 * | `{usage}`                                     | consumed so far in all; the last one is the call's usage         |
 * | `{checkpoint}` `{signal}`                     | passed on                                                        |
 * | `{finish}`                                    | why a candidate ended; passed on at the end                      |
 * | `{facts}`                                     | what the call's provenance shall say                             |
 *
 * The host opens, numbers and completes outputs, hashes data, and ends the call.
 */
import type {
  Checkpoint,
  Finish,
  Notice,
  OutputKind,
  Progress,
  Signal,
  TokenLogprob,
  Usage,
} from "./generated/mediaconduit/v1/events.js";
import type {
  Citation,
  Embedding,
  MediaInfo,
  Part,
  Reasoning,
  Role,
  Scores,
  Segment,
  ToolCall,
  ToolResult,
  Transcript,
  VendorState,
} from "./generated/mediaconduit/v1/media.js";

/** A message of the contract of which only what matters is given. */
export type DeepPartial<T> = T extends string | number | boolean | Date | Uint8Array | undefined
  ? T
  : T extends (infer U)[]
    ? DeepPartial<U>[]
    : { [K in keyof T]?: DeepPartial<T[K]> };

/** A file to stream as an output of its own. It is read while the caller reads, and not removed. */
export interface FileOutput {
  path: string;
  mediaType: string;
  /** `Part.name` where a model makes several outputs ("thumbnail"). */
  name?: string;
  info?: DeepPartial<MediaInfo>;
}

/** What a provider knows about how its output came to be; later ones add to earlier ones. */
export interface Facts {
  /** The model as the vendor named it in its answer. */
  vendorModel?: string;
  vendorRequestId?: string;
  vendorResponseId?: string;
}

export interface OutputOptions {
  /** Absent = text for "text/*" and JSON, data for all else. */
  kind?: OutputKind;
  name?: string;
  candidate?: number;
  /** `Role.USER` for a transcript of the caller. */
  role?: Role;
  /** This one is an early look at that one. */
  previewOf?: Output;
  /** Live sessions: which turn it belongs to. */
  turn?: number;
  /** For a tool call whose arguments come in pieces, by `text`: its id and name. */
  toolCall?: DeepPartial<ToolCall>;
}

/** One output among several: make it, yield what its methods return. Completed at the end of the call at latest. */
export class Output {
  /** Set by the host when the output starts. */
  index = -1;

  constructor(
    readonly mediaType: string,
    readonly options: OutputOptions = {},
  ) {}

  /** More text. */
  text(text: string, logprobs: DeepPartial<TokenLogprob>[] = []): Delta {
    return new Delta(this, { text, logprobs });
  }

  /** More bytes. */
  data(data: Uint8Array): Delta {
    return new Delta(this, { data });
  }

  /** A segment of a transcript, or in place of the one with its id. */
  segment(segment: DeepPartial<Segment>): Delta {
    return new Delta(this, { segment });
  }

  /** A source. */
  cite(citation: DeepPartial<Citation>): Delta {
    return new Delta(this, { citation });
  }

  /** What the vendor needs back with this output. */
  state(vendorState: DeepPartial<VendorState>): Delta {
    return new Delta(this, { vendorState });
  }

  /** Nothing more comes. */
  done(info?: DeepPartial<MediaInfo>): Delta {
    return new Delta(this, { done: true, info });
  }
}

export interface More {
  text?: string;
  logprobs?: DeepPartial<TokenLogprob>[];
  data?: Uint8Array;
  segment?: DeepPartial<Segment>;
  citation?: DeepPartial<Citation>;
  vendorState?: DeepPartial<VendorState>;
  done?: boolean;
  info?: DeepPartial<MediaInfo>;
}

/** More of an output. Made by the methods of `Output`. */
export class Delta {
  constructor(
    readonly output: Output,
    readonly more: More,
  ) {}
}

/** Everything `transform` may yield. */
export type Yielded =
  | string
  | Uint8Array
  | Output
  | Delta
  | { file: FileOutput }
  | { part: DeepPartial<Part> }
  | { reasoning: DeepPartial<Reasoning> }
  | { toolCall: DeepPartial<ToolCall> }
  | { toolResult: DeepPartial<ToolResult> }
  | { transcript: DeepPartial<Transcript> }
  | { segment: DeepPartial<Segment> }
  | { embedding: DeepPartial<Embedding> }
  | { scores: DeepPartial<Scores> }
  | { citation: DeepPartial<Citation> }
  | { vendorState: DeepPartial<VendorState> }
  | { progress: DeepPartial<Progress> }
  | { notice: DeepPartial<Notice> }
  | { usage: DeepPartial<Usage> }
  | { checkpoint: DeepPartial<Checkpoint> }
  | { signal: DeepPartial<Signal> }
  | { finish: DeepPartial<Finish> }
  | { facts: Facts };

/** Turns what an author yields into events: which output it belongs to, and when that one ends. */
import { open } from "node:fs/promises";
import { Finish, OutputDelta, OutputKind, type OutputStarted } from "../generated/mediaconduit/v1/events.js";
import type { MediaInfo, Part, Reasoning, ToolCall } from "../generated/mediaconduit/v1/media.js";
import { Delta, Output, type DeepPartial, type FileOutput, type Yielded } from "../outputs.js";
import { EventWriter, type OpenOutput } from "./events.js";
import { CHUNK_BYTES, type Mailbox } from "./mailbox.js";
import { isText } from "./mediaTypes.js";
import { contentOf } from "./parts.js";
import { wellFormed, type Item } from "./packing.js";

/**
 * Kinds that follow each other in a turn: plain text after reasoning or a tool call is a new output. Data and
 * transcripts run beside them.
 */
const WORDS = new Set([OutputKind.TEXT, OutputKind.REASONING, OutputKind.TOOL_CALL, OutputKind.TOOL_RESULT]);

const KIND_OF: Partial<Record<string, OutputKind>> = {
  text: OutputKind.TEXT,
  data: OutputKind.DATA,
  asset: OutputKind.DATA,
  toolCall: OutputKind.TOOL_CALL,
  toolResult: OutputKind.TOOL_RESULT,
  reasoning: OutputKind.REASONING,
  transcript: OutputKind.TRANSCRIPT,
  embedding: OutputKind.EMBEDDING,
  scores: OutputKind.SCORES,
};

/** Contents of a part that may be yielded by themselves, as an output of their own. */
const WHOLE = ["toolCall", "toolResult", "transcript", "embedding", "scores"] as const;
const ATTACHED = ["citation", "vendorState"] as const;

/** What an author yields, as events. All methods say whether the mailbox is full. */
export class Encoder extends EventWriter {
  /** Where plain text goes. */
  #text: OpenOutput | undefined;
  /** Where plain bytes go. */
  #data: OpenOutput | undefined;
  /** The last of the kinds that follow each other. */
  #words: OpenOutput | undefined;
  /** Where segments go. */
  #transcript: OpenOutput | undefined;

  constructor(
    mailbox: Mailbox<Item>,
    private readonly mediaTypeFor: (kind: OutputKind) => string,
  ) {
    super(mailbox);
  }

  /** More of the current text output; at most `CHUNK_BYTES` characters. */
  text(text: string): boolean {
    this.#text ??= this.#beginOwn(OutputKind.TEXT);
    return this.feedPlainText(this.#text, text);
  }

  /** More of the current data output; at most `CHUNK_BYTES`. */
  data(data: Buffer): boolean {
    this.#data ??= this.#beginOwn(OutputKind.DATA);
    return this.feedData(this.#data, data);
  }

  /** Anything an author may yield, of any size. Throws `TypeError` for what nobody may. */
  async other(item: Yielded): Promise<boolean> {
    if (typeof item === "string") return this.feedText((this.#text ??= this.#beginOwn(OutputKind.TEXT)), item);
    if (item instanceof Uint8Array) {
      return this.feedAllData((this.#data ??= this.#beginOwn(OutputKind.DATA)), asBuffer(item));
    }
    if (item instanceof Delta) return this.#onDelta(item);
    if (item instanceof Output) return this.#onOutput(item);
    const handled =
      typeof item === "object" && item !== null ? await this.#onTagged(item as Record<string, any>) : undefined;
    if (handled === undefined) throw new TypeError(`transform yielded ${describe(item)}; see the table in outputs.ts`);
    return handled;
  }

  override complete(output: OpenOutput, info?: DeepPartial<MediaInfo>): boolean {
    if (output === this.#text) this.#text = undefined;
    if (output === this.#data) this.#data = undefined;
    if (output === this.#words) this.#words = undefined;
    if (output === this.#transcript) this.#transcript = undefined;
    return super.complete(output, info);
  }

  async #onTagged(item: Record<string, any>): Promise<boolean | undefined> {
    if (item.file) return this.#onFile(item.file);
    if (item.part) return this.#onPart(item.part);
    if (item.reasoning) return this.#onReasoning(item.reasoning);
    if (item.segment) {
      this.#transcript ??= this.#beginOwn(OutputKind.TRANSCRIPT);
      return this.attach(this.#transcript, { segment: item.segment });
    }
    for (const name of WHOLE) if (item[name]) return this.#onPart({ [name]: item[name] });
    for (const name of ATTACHED) if (item[name]) return this.#attachToLast(name, item[name]);
    if (item.progress) return this.progress(item.progress);
    if (item.notice) return this.notice(item.notice);
    if (item.usage) return this.consumed(item.usage);
    if (item.checkpoint) return this.checkpoint(item.checkpoint);
    if (item.signal) return this.signal(item.signal);
    if (item.finish) {
      this.finishes.push(Finish.fromPartial(item.finish));
      return false;
    }
    if (item.facts) {
      this.facts = { ...this.facts, ...item.facts };
      return false;
    }
    return undefined;
  }

  // -- outputs the author names

  #onOutput(output: Output): boolean {
    const begun = this.#beginNamed(output);
    if (begun.kind === OutputKind.DATA) {
      this.#endOwn(this.#data);
      this.#data = begun;
    } else if (begun.kind === OutputKind.TRANSCRIPT) {
      this.#endOwn(this.#transcript);
      this.#transcript = begun;
    } else if (WORDS.has(begun.kind)) {
      this.#endOwn(this.#words);
      this.#words = begun;
      this.#text = begun.kind === OutputKind.TEXT ? begun : undefined;
    }
    return false;
  }

  async #onDelta({ output: named, more }: Delta): Promise<boolean> {
    const output = named.index >= 0 ? this.open.get(named.index) : this.#beginNamed(named);
    if (!output) throw new Error("an output was fed after it was done");
    let full = false;
    if (more.text !== undefined) {
      full = more.logprobs?.length
        ? this.emit({
            outputDelta: OutputDelta.fromPartial({
              index: output.index,
              text: wellFormed(more.text),
              logprobs: more.logprobs,
            }),
          })
        : await this.feedText(output, more.text);
    }
    if (more.data) full = await this.feedAllData(output, asBuffer(more.data));
    if (more.segment) full = this.attach(output, { segment: more.segment });
    for (const name of ATTACHED) if (more[name]) full = this.attach(output, { [name]: more[name] });
    return more.done ? this.complete(output, more.info) : full;
  }

  #beginNamed(output: Output): OpenOutput {
    if (output.index >= 0) throw new Error("an Output belongs to one call and begins once");
    const { previewOf, toolCall, kind, ...rest } = output.options;
    const started: DeepPartial<OutputStarted> = {
      ...rest,
      kind: kind || kindOf(output),
      mediaType: output.mediaType,
      toolCall: toolCall && withoutArguments(toolCall),
      previewOf: previewOf?.index,
    };
    const begun = this.begin(started);
    output.index = begun.index;
    return begun;
  }

  // -- outputs the host begins

  #beginOwn(kind: OutputKind): OpenOutput {
    const mediaType = kind === OutputKind.TEXT || kind === OutputKind.DATA ? this.mediaTypeFor(kind) : "";
    if (WORDS.has(kind)) this.#endOwn(this.#words);
    const output = this.begin({ kind, mediaType }, true);
    if (WORDS.has(kind)) this.#words = output;
    return output;
  }

  /** Completes an output that the host began, because another of its kind follows. */
  #endOwn(output: OpenOutput | undefined): void {
    if (output?.implicit && this.open.has(output.index)) this.complete(output);
  }

  async #onReasoning(reasoning: DeepPartial<Reasoning>): Promise<boolean> {
    let output = this.#words;
    if (!output || output.kind !== OutputKind.REASONING || reasoning.redacted || output.part) {
      output = this.#beginOwn(OutputKind.REASONING);
    }
    if (!reasoning.redacted) return this.feedText(output, reasoning.text ?? "");
    output.part = { reasoning };
    return false;
  }

  #attachToLast(name: (typeof ATTACHED)[number], value: any): boolean {
    if (!this.last || !this.open.has(this.last.index)) {
      throw new Error(`no output is open to attach a ${name} to; yield a part that carries it`);
    }
    return this.attach(this.last, { [name]: value });
  }

  // -- outputs that are complete at once

  /** Text and data go as deltas, all else within OutputCompleted. */
  async #onPart(part: DeepPartial<Part>): Promise<boolean> {
    const content = contentOf(part as Part);
    const kind = content && KIND_OF[content];
    if (!content || kind === undefined) {
      throw new TypeError("a part without content, or one that announces a stream, cannot be an output");
    }
    if (WORDS.has(kind)) this.#endOwn(this.#words);
    const output = this.begin({
      kind,
      name: part.name,
      mediaType: part.mediaType || (content === "text" ? "text/plain" : (part.asset?.mediaType ?? "")),
      toolCall: part.toolCall && withoutArguments(part.toolCall),
      callId: part.toolResult?.callId,
    });
    if (content === "text") await this.feedText(output, part.text!);
    else if (content === "toolCall") await this.feedText(output, part.toolCall!.arguments ?? "");
    else if (content === "data") await this.feedAllData(output, asBuffer(part.data!));
    else output.part = part;
    if (!output.part) {
      for (const citation of part.citations ?? []) this.attach(output, { citation });
      if (part.vendorState) this.attach(output, { vendorState: part.vendorState });
    }
    return this.complete(output);
  }

  async #onFile(file: FileOutput): Promise<boolean> {
    const output = this.begin({ kind: OutputKind.DATA, mediaType: file.mediaType, name: file.name });
    const source = await open(file.path);
    try {
      for (;;) {
        const { bytesRead, buffer } = await source.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
        if (!bytesRead) break;
        if (this.feedData(output, buffer.subarray(0, bytesRead))) await this.mailbox.room();
      }
    } finally {
      await source.close();
    }
    return this.complete(output, file.info);
  }
}

function withoutArguments(call: DeepPartial<ToolCall>): DeepPartial<ToolCall> {
  return { ...call, arguments: "" };
}

function kindOf(output: Output): OutputKind {
  if (output.options.toolCall) return OutputKind.TOOL_CALL;
  return isText(output.mediaType) ? OutputKind.TEXT : OutputKind.DATA;
}

/** The same bytes as a Buffer. Copied when they are not: authors may use theirs again. */
function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function describe(item: unknown): string {
  if (typeof item !== "object" || item === null) return typeof item;
  return `an object with ${Object.keys(item).slice(0, 5).join(", ") || "nothing in it"}`;
}

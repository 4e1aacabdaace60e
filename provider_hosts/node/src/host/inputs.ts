/** Parts of the input as authors read them: whole, or still arriving. */
import { open, writeFile, type FileHandle } from "node:fs/promises";
import type { Input } from "../call.js";
import { InvalidRequestError } from "../errors.js";
import type { Part } from "../generated/mediaconduit/v1/media.js";
import { CHUNK_BYTES } from "./mailbox.js";
import { News } from "./news.js";
import { mediaTypeOf, textOf } from "./parts.js";

/** Gives the path of a new file in the call's folder. */
export type NewFile = () => Promise<string>;

/** A part whose content came with the request. */
export class WholeInput implements Input {
  readonly name: string;
  readonly mediaType: string;
  #path: Promise<string> | undefined;

  constructor(
    private readonly part: Part,
    readonly field: string,
    private readonly newFile: NewFile,
  ) {
    this.name = part.name;
    this.mediaType = mediaTypeOf(part);
  }

  get uri(): string {
    return this.part.asset?.uri ?? "";
  }

  get text(): string {
    return textOf(this.part);
  }

  get size(): number | undefined {
    return this.part.asset ? this.part.asset.sizeBytes : this.#content().length;
  }

  async *chunks(): AsyncIterableIterator<Buffer> {
    const content = this.#content();
    for (let start = 0; start < content.length; start += CHUNK_BYTES)
      yield content.subarray(start, start + CHUNK_BYTES);
  }

  async bytes(): Promise<Buffer> {
    return this.#content();
  }

  path(): Promise<string> {
    this.#path ??= this.#write();
    return this.#path;
  }

  toString(): string {
    return this.text;
  }

  async #write(): Promise<string> {
    const path = await this.newFile();
    await writeFile(path, this.#content());
    return path;
  }

  #content(): Buffer {
    if (this.part.asset) {
      throw InvalidRequestError.at(this.field, "is a reference; this model wants the content itself");
    }
    return this.part.data ?? Buffer.from(this.part.text ?? "");
  }
}

/**
 * A part whose content comes in chunks. What has come and was not read yet lies in memory, up to `HIGH_WATER`; then
 * whoever feeds it waits, or, when waiting would block something else, goes on in a file.
 */
export class ArrivingInput implements Input {
  static readonly HIGH_WATER = 1024 * 1024;
  readonly name: string;
  readonly mediaType: string;
  readonly uri = "";
  readonly text = "";
  received = 0;
  done = false;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #error: unknown;
  #readOnce = false;
  #file: string | undefined;
  #sink: FileHandle | undefined;
  #spooling: Promise<void> | undefined;
  readonly #changed = new News();
  readonly #room = new News();

  constructor(
    part: Part,
    readonly field: string,
    private readonly newFile: NewFile,
    private readonly waiting: (change: 1 | -1) => void,
  ) {
    this.name = part.name;
    this.mediaType = mediaTypeOf(part);
  }

  // -- what authors read

  get size(): number | undefined {
    return this.done ? this.received : undefined;
  }

  async *chunks(): AsyncIterableIterator<Buffer> {
    if (this.#readOnce && !this.#file) throw new Error("an input that arrives in pieces can be read once; use path()");
    this.#readOnce = true;
    while (!this.#file) {
      const chunks = this.#chunks;
      if (chunks.length) {
        this.#chunks = [];
        this.#buffered = 0;
        this.#room.tell();
        yield* chunks;
      } else if (this.done) return;
      else await this.#change();
    }
    yield* this.#fromFile();
  }

  async bytes(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const chunk of this.chunks()) pieces.push(chunk);
    return Buffer.concat(pieces);
  }

  async path(): Promise<string> {
    if (this.#readOnce && !this.#file) throw new Error("use path() instead of chunks(), not after it");
    this.#readOnce = true;
    await this.spool();
    while (!this.done || this.#sink) await this.#change();
    return this.#file!;
  }

  toString(): string {
    return this.text;
  }

  // -- what feeds it

  /** Whether its feeder should wait for room. */
  get full(): boolean {
    return !this.#file && this.#buffered >= ArrivingInput.HIGH_WATER;
  }

  async feed(data: Buffer, flush = false): Promise<void> {
    this.received += data.length;
    await this.#spooling;
    if (this.#sink) {
      if (data.length) await this.#sink.appendFile(data);
    } else {
      if (data.length) this.#chunks.push(data);
      this.#buffered += data.length;
      if (flush) this.#chunks.push(Buffer.alloc(0));
    }
    this.#changed.tell();
  }

  /** Resolves when it may be fed, or the author waits for something else. */
  room(): Promise<void> {
    return this.#room.next();
  }

  /** Lets the feeder look again. */
  nudge(): void {
    this.#room.tell();
  }

  /** No more comes. */
  async end(): Promise<void> {
    this.done = true;
    await this.#spooling;
    await this.#closeSink();
    this.#changed.tell();
  }

  /** The rest will not come: whoever waits for it gets the error. */
  fail(error: unknown): void {
    if (this.done) return;
    this.#error ??= error;
    this.#changed.tell();
    this.#room.tell();
  }

  /** Closes what is open; nobody reads any more. */
  async dispose(): Promise<void> {
    await this.#spooling;
    await this.#closeSink();
  }

  /** What is there and what comes goes to a file from now on. */
  spool(): Promise<void> {
    this.#spooling ??= this.#spool();
    return this.#spooling;
  }

  // -- inside

  async #spool(): Promise<void> {
    const path = await this.newFile();
    const sink = await open(path, "w");
    while (this.#chunks.length) {
      const chunks = this.#chunks;
      this.#chunks = [];
      this.#buffered = 0;
      await sink.appendFile(Buffer.concat(chunks));
    }
    this.#sink = sink;
    this.#file = path;
    if (this.done) await this.#closeSink();
    this.#changed.tell();
    this.nudge();
  }

  async #closeSink(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    await sink?.close();
  }

  /** The file from its start, as far as it is written, until its end. */
  async *#fromFile(): AsyncIterableIterator<Buffer> {
    const source = await open(this.#file!);
    try {
      for (;;) {
        const ended = this.done && !this.#sink;
        const { bytesRead, buffer } = await source.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
        if (bytesRead) yield buffer.subarray(0, bytesRead);
        else if (ended) return;
        else await this.#change();
      }
    } finally {
      await source.close();
    }
  }

  async #change(): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    this.waiting(1);
    try {
      await this.#changed.next();
    } finally {
      this.waiting(-1);
    }
    if (this.#error !== undefined) throw this.#error;
  }
}

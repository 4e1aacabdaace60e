/** Turns what piled up in a mailbox into one message: joins neighbours, numbers events. */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { TransformEvent } from "../generated/mediaconduit/v1/events.js";
import { CHUNK_BYTES } from "./mailbox.js";

/** The plain text and data that follow belong to this output. */
export class Target {
  constructor(readonly index: number) {}
}

/** What lies in a call's mailbox. Text and data are left as they are until they are written. */
export type Item = string | Buffer | Target | TransformEvent;

const EVENTS_TAG = (1 << 3) | 2;
const SEQUENCE_TAG = 1 << 3;
const DELTA_TAG = (4 << 3) | 2;
const INDEX_TAG = 1 << 3;
const TEXT_TAG = (2 << 3) | 2;
const DATA_TAG = (3 << 3) | 2;

/** Packs the items of one call. Keeps the sequence, and halves of characters whose other half is still to come. */
export class Packer {
  #sequence = 0;
  #index = 0;
  readonly #held = new Map<number, string>();

  /** One serialised TransformResponse with all items in order; empty when they make no event. */
  pack(items: Item[]): Buffer {
    const writer = new BinaryWriter();
    let texts = "";
    let data: Buffer[] = [];
    for (const item of items) {
      if (typeof item === "string") {
        if (data.length) data = this.#addData(writer, data);
        texts += item;
        continue;
      }
      if (texts) texts = this.#addText(writer, texts);
      if (Buffer.isBuffer(item)) {
        data.push(item);
        continue;
      }
      if (data.length) data = this.#addData(writer, data);
      if (item instanceof Target) this.#index = item.index;
      else this.#addEvent(writer, item);
    }
    if (texts) this.#addText(writer, texts);
    if (data.length) this.#addData(writer, data);
    const bytes = writer.finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #addText(writer: BinaryWriter, text: string): "" {
    const index = this.#index;
    if (this.#held.size) {
      text = (this.#held.get(index) ?? "") + text;
      this.#held.delete(index);
    }
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#held.set(index, text.slice(-1));
      text = text.slice(0, -1);
      if (!text) return "";
    }
    this.#delta(writer, (delta) => delta.uint32(TEXT_TAG).string(wellFormed(text)));
    return "";
  }

  #addData(writer: BinaryWriter, data: Buffer[]): [] {
    for (const piece of joined(data)) this.#delta(writer, (delta) => delta.uint32(DATA_TAG).bytes(piece));
    return [];
  }

  /** The hot path, written by hand: an OutputDelta of text or data. */
  #delta(writer: BinaryWriter, content: (writer: BinaryWriter) => void): void {
    this.#sequence += 1;
    writer.uint32(EVENTS_TAG).fork().uint32(SEQUENCE_TAG).int32(this.#sequence).uint32(DELTA_TAG).fork();
    if (this.#index) writer.uint32(INDEX_TAG).int32(this.#index);
    content(writer);
    writer.join().join();
  }

  #addEvent(writer: BinaryWriter, event: TransformEvent): void {
    const index = event.outputCompleted?.index;
    if (index !== undefined && this.#held.delete(index)) {
      this.#index = index;
      this.#addText(writer, "\ufffd");
    }
    this.#sequence += 1;
    event.sequence = this.#sequence;
    TransformEvent.encode(event, writer.uint32(EVENTS_TAG).fork()).join();
  }
}

/** Text that protobuf takes; halves of characters become U+FFFD. */
export function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}

/** Neighbours together, none larger than a chunk. */
function* joined(data: Buffer[]): Generator<Buffer> {
  let begin = 0;
  let size = 0;
  for (const [position, piece] of data.entries()) {
    if (size && size + piece.length > CHUNK_BYTES) {
      yield Buffer.concat(data.slice(begin, position));
      begin = position;
      size = 0;
    }
    size += piece.length;
  }
  yield data.length - begin === 1 ? data[begin]! : Buffer.concat(data.slice(begin));
}

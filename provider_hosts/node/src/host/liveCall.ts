/** Input that arrives while the call runs: uploads in chunks, and conversations. */
import type { Input, Piece, Session } from "../call.js";
import { InvalidRequestError, MediaConduitError } from "../errors.js";
import type { Part, Turn } from "../generated/mediaconduit/v1/media.js";
import type { InputChunk, TransformLiveRequest, TransformRequest } from "../generated/mediaconduit/v1/transform.js";
import type { Entry } from "./catalog.js";
import { checkTurns, limitOf, tooLarge } from "./checks.js";
import { HostCall } from "./hostCall.js";
import { ArrivingInput } from "./inputs.js";
import { isText } from "./mediaTypes.js";
import type { CallFacts } from "./metadata.js";
import { News } from "./news.js";

/** Pieces of a conversation that may wait for the author. */
const AHEAD = 64;
/** Most bytes of a text that arrives in chunks: authors get it whole. */
const TEXT_LIMIT = 16 * 1024 * 1024;

/** A call whose input arrives. `receive` takes the pieces; models with the feature "live" also iterate it. */
export class LiveCall extends HostCall implements Session {
  readonly isLive: boolean;
  readonly #pieces: Piece[] = [];
  #ended = false;
  #error: unknown;
  #turnCount: number;
  #waiters = 0;
  readonly #news = new News();
  readonly #space = new News();

  constructor(request: TransformRequest, entry: Entry, capability: string, facts: CallFacts) {
    super(request, entry, capability, facts);
    this.isLive = entry.model.features?.includes("live") ?? false;
    this.#turnCount = request.turns.length;
    this.#announce(request.turns, 0);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Piece> {
    for (;;) {
      for (let piece = this.#pieces.shift(); piece; piece = this.#pieces.shift()) {
        this.#space.tell();
        yield piece;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return;
      this.#waitFor(1);
      try {
        await this.#news.next();
      } finally {
        this.#waitFor(-1);
      }
    }
  }

  partInput(part: Part): Input {
    const arriving = part.stream === undefined ? undefined : this.arriving.get(part.stream);
    return arriving ?? this.inputAt(part, `part:${this.#idOf(part)}`);
  }

  override async gatherText(): Promise<void> {
    if (this.isLive) return;
    for (const part of this.turns.flatMap((turn) => turn.parts)) {
      const arriving = part.stream === undefined ? undefined : this.arriving.get(part.stream);
      if (!arriving || !isText(arriving.mediaType)) continue;
      part.text = await readText(arriving);
      this.arriving.delete(part.stream!);
      part.stream = undefined;
    }
  }

  override failInputs(error: unknown): void {
    super.failInputs(error);
    this.#error ??= error;
    this.#news.tell();
    this.#space.tell();
  }

  /** Takes pieces until the caller half-closes. Throws `MediaConduitError` for a piece that is wrong. */
  async receive(pieces: AsyncIterator<TransformLiveRequest>): Promise<void> {
    try {
      for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
        await this.#take(next.value);
        if (this.#error !== undefined) return;
      }
      for (const arriving of this.arriving.values()) await this.#endInput(arriving);
    } catch (error) {
      if (error instanceof MediaConduitError) this.failInputs(error);
      throw error;
    }
    this.#ended = true;
    this.#news.tell();
  }

  async #take(request: TransformLiveRequest): Promise<void> {
    if (request.chunk) return this.#takeChunk(request.chunk);
    if (request.start) throw InvalidRequestError.at("start", "may only be the first piece");
    const kind = (["turn", "interrupt", "respond", "options"] as const).find((name) => request[name] !== undefined);
    if (!kind) throw InvalidRequestError.at("piece", "is empty or of a later revision of the contract");
    if (!this.isLive) {
      const hint = "use a model with the feature 'live'";
      throw InvalidRequestError.at(kind, `${this.entry.name} holds no conversations`, hint);
    }
    if (request.turn) {
      checkTurns([request.turn], this.model, this.options, this.#turnCount);
      this.#announce([request.turn], this.#turnCount);
      this.#turnCount += 1;
      await this.#push({ turn: request.turn });
    } else if (request.interrupt) {
      const { index, played } = request.interrupt;
      await this.#push({ interrupt: { index, played: (played?.seconds ?? 0) + (played?.nanos ?? 0) / 1e9 } });
    } else if (request.respond) {
      await this.#push({ respond: true });
    } else {
      this.useOptions(request.options!);
      await this.#push({ options: this.options });
    }
  }

  async #takeChunk(chunk: InputChunk): Promise<void> {
    const arriving = this.arriving.get(chunk.stream);
    if (!arriving) throw InvalidRequestError.at("chunk.stream", `no part announced stream ${chunk.stream}`);
    if (arriving.done) throw InvalidRequestError.at("chunk.stream", `stream ${chunk.stream} has ended`);
    const limit = limitOf(this.model, arriving.name, this.options);
    const size = arriving.received + chunk.data.length;
    if (limit && size > limit) throw tooLarge(arriving.field, limit, size);
    while (arriving.full && this.#error === undefined) {
      if (this.#waiters) await arriving.spool();
      else await arriving.room();
    }
    await arriving.feed(chunk.data, chunk.flush);
    if (chunk.last) await this.#endInput(arriving);
  }

  async #endInput(arriving: ArrivingInput): Promise<void> {
    if (!arriving.done && !arriving.received && !this.isLive) {
      const error = InvalidRequestError.at(arriving.field, "is empty");
      arriving.fail(error);
      throw error;
    }
    await arriving.end();
  }

  async #push(piece: Piece): Promise<void> {
    while (this.#pieces.length >= AHEAD && this.#error === undefined) await this.#space.next();
    this.#pieces.push(piece);
    this.#news.tell();
  }

  /** The author waits for something that is still to come: what is in its way must not block it. */
  #waitFor(change: 1 | -1): void {
    this.#waiters += change;
    if (change < 0) return;
    for (const arriving of this.arriving.values()) if (arriving.full) arriving.nudge();
  }

  #announce(turns: Turn[], first: number): void {
    for (const [t, turn] of turns.entries()) {
      for (const [p, part] of turn.parts.entries()) {
        if (part.stream === undefined) continue;
        const field = `turns[${t + first}].parts[${p}]`;
        if (this.arriving.has(part.stream)) throw InvalidRequestError.at(`${field}.stream`, "is announced twice");
        const waiting = (change: 1 | -1): void => this.#waitFor(change);
        this.arriving.set(part.stream, new ArrivingInput(part, field, () => this.newFile(), waiting));
      }
    }
  }

  readonly #ids = new WeakMap<Part, number>();
  #lastId = 0;

  #idOf(part: Part): number {
    const known = this.#ids.get(part) ?? ++this.#lastId;
    this.#ids.set(part, known);
    return known;
  }
}

async function readText(arriving: ArrivingInput): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const chunk of arriving.chunks()) {
    pieces.push(chunk);
    if (arriving.received > TEXT_LIMIT) throw tooLarge(arriving.field, TEXT_LIMIT, arriving.received);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(pieces));
  } catch {
    throw InvalidRequestError.at(arriving.field, "is not text in UTF-8");
  }
}

/** The call that authors are given. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Call, CallLog, Input } from "../call.js";
import { InvalidRequestError } from "../errors.js";
import { OutputKind, Usage, type Notice } from "../generated/mediaconduit/v1/events.js";
import { Role, type Part, type Turn } from "../generated/mediaconduit/v1/media.js";
import { TransformOptions } from "../generated/mediaconduit/v1/options.js";
import type { TransformRequest } from "../generated/mediaconduit/v1/transform.js";
import type { DeepPartial } from "../outputs.js";
import type { Model } from "../provider.js";
import type { Entry } from "./catalog.js";
import { WholeInput, type ArrivingInput } from "./inputs.js";
import { log } from "./logs.js";
import { isText, matches } from "./mediaTypes.js";
import type { CallFacts } from "./metadata.js";
import { optionAt } from "./options.js";
import { isInput, isUser, textOf } from "./parts.js";

/** One call: what was asked, and the temporary folder that belongs to it. */
export class HostCall implements Call {
  readonly model: Model;
  readonly turns: Turn[];
  options: TransformOptions;
  readonly notices: Notice[];
  readonly labels: Readonly<Record<string, string>>;
  readonly affinityKey: string;
  readonly resumeToken: Buffer;
  readonly generation: string;
  readonly caller: string;
  readonly log: CallLog;
  readonly arriving = new Map<number, ArrivingInput>();
  readonly aborting = new AbortController();
  left = false;
  #consumed: (() => DeepPartial<Usage>) | undefined;
  readonly #deadline: number | undefined;
  readonly #inputs = new Map<string, Input>();
  #values: Record<string, any>;
  #folder: Promise<string> | undefined;
  #files = 0;

  constructor(
    request: TransformRequest,
    readonly entry: Entry,
    readonly capability: string,
    facts: CallFacts,
  ) {
    this.model = entry.model;
    this.turns = request.turns;
    const checked = entry.schema.check(request.options ?? TransformOptions.fromPartial({}));
    this.options = checked.options;
    this.#values = checked.values;
    this.notices = checked.notices;
    this.labels = request.labels;
    this.affinityKey = request.affinityKey;
    this.resumeToken = request.resumeToken;
    this.generation = facts.generation;
    this.caller = facts.caller;
    this.log = logOf(facts.generation);
    this.#deadline = facts.deadline;
  }

  get signal(): AbortSignal {
    return this.aborting.signal;
  }

  meter(consumed: () => DeepPartial<Usage>): void {
    this.#consumed = consumed;
  }

  get text(): string {
    const said = this.turns.findLast((turn) => isUser(turn.role));
    const texts = (said?.parts ?? []).filter((part) => !part.name).map(textOf);
    return texts.filter(Boolean).join("\n");
  }

  get system(): string {
    const parts = this.turns.flatMap((turn) => (turn.role === Role.SYSTEM ? turn.parts : []));
    return parts
      .map((part) => part.text)
      .filter(Boolean)
      .join("\n\n");
  }

  inputs(name = ""): Input[] {
    return this.turns.flatMap((turn, t) =>
      isUser(turn.role)
        ? turn.parts.flatMap((part, p) =>
            part.name === name && isInput(part) ? [this.inputAt(part, `turns[${t}].parts[${p}]`)] : [],
          )
        : [],
    );
  }

  input(name = ""): Input {
    const [found] = this.inputs(name);
    if (found) return found;
    throw InvalidRequestError.at("turns", `${name ? `input '${name}'` : "an input"} is missing`);
  }

  option(path: string, fallback?: any): any {
    return optionAt(this.#values, path) ?? fallback ?? this.entry.schema.defaultOf(path);
  }

  mediaType(...offered: string[]): string {
    const choice = offered.length ? offered : (this.model.outputMediaTypes ?? []);
    const wanted = this.options.outputMediaTypes;
    if (!choice.length) return "application/octet-stream";
    const found = choice.find((offer) => !wanted.length || wanted.some((pattern) => matches(pattern, offer)));
    if (found) return found;
    throw InvalidRequestError.at(
      "options.output_media_types",
      `${wanted.join(", ")} cannot be made; there is ${choice.join(", ")}`,
    );
  }

  folder(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), "mediaconduit-call-"));
    return this.#folder;
  }

  remaining(): number | undefined {
    return this.#deadline === undefined ? undefined : Math.max(0, (this.#deadline - performance.now()) / 1000);
  }

  // -- for the host

  /** What the author's meter says now; undefined without one. */
  consumed(): Usage | undefined {
    return this.#consumed && Usage.fromPartial(this.#consumed());
  }

  /** The main input as `transform` gets it: the text of the whole turn, and the content of the first part. */
  mainInput(): Input {
    const inputs = this.inputs();
    const said = this.turns.findLast((turn) => isUser(turn.role));
    // Of several turns the last is what is said now, the others are what was said before.
    const own = inputs.find((input) => input.field.startsWith(`turns[${said ? this.turns.indexOf(said) : 0}]`));
    return new MainInput(this, own ?? inputs[0]);
  }

  /** Media type of an output that the author began by yielding plain text or bytes. */
  mediaTypeFor(kind: OutputKind): string {
    const textual = kind === OutputKind.TEXT;
    if (textual && this.options.text?.jsonSchema) return "application/json";
    const offered = (this.model.outputMediaTypes ?? []).filter((offer) => isText(offer) === textual);
    if (offered.length) return this.mediaType(...offered);
    return textual ? "text/plain" : "application/octet-stream";
  }

  /** The path of a file that does not exist yet, in the call's folder. */
  async newFile(): Promise<string> {
    this.#files += 1;
    return join(await this.folder(), `input-${this.#files}`);
  }

  /** Other options from here on. */
  useOptions(options: TransformOptions): void {
    const checked = this.entry.schema.check(options);
    this.options = checked.options;
    this.#values = checked.values;
  }

  /** Makes text that is still arriving part of the turns. */
  async gatherText(): Promise<void> {}

  /** What has not come yet will not come: whoever waits for it gets the error. */
  failInputs(error: unknown): void {
    for (const arriving of this.arriving.values()) arriving.fail(error);
  }

  /** Removes the temporary folder, if there is one. */
  async release(): Promise<void> {
    for (const arriving of this.arriving.values()) await arriving.dispose();
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true });
  }

  protected inputAt(part: Part, field: string): Input {
    let found = this.#inputs.get(field);
    if (!found) {
      const arriving = part.stream === undefined ? undefined : this.arriving.get(part.stream);
      found = arriving ?? new WholeInput(part, field, () => this.newFile());
      this.#inputs.set(field, found);
    }
    return found;
  }
}

/** The first main part, with the text of all of them. */
class MainInput implements Input {
  readonly name = "";

  constructor(
    private readonly call: Call,
    private readonly first: Input | undefined,
  ) {}

  get mediaType(): string {
    return this.first?.mediaType ?? "text/plain";
  }
  get field(): string {
    return this.first?.field ?? "turns";
  }
  get text(): string {
    return this.call.text;
  }
  get uri(): string {
    return this.first?.uri ?? "";
  }
  get size(): number | undefined {
    return this.first ? this.first.size : 0;
  }
  chunks(): AsyncIterableIterator<Buffer> {
    return this.#present().chunks();
  }
  bytes(): Promise<Buffer> {
    return this.#present().bytes();
  }
  path(): Promise<string> {
    return this.#present().path();
  }
  toString(): string {
    return this.text;
  }

  #present(): Input {
    return this.first ?? this.call.input();
  }
}

function logOf(generation: string): CallLog {
  return {
    debug: (message) => log("DEBUG", `[${generation}] ${message}`),
    info: (message) => log("INFO", `[${generation}] ${message}`),
    warn: (message) => log("WARNING", `[${generation}] ${message}`),
    error: (message, cause) => log("ERROR", `[${generation}] ${message}`, cause),
  };
}

/** Checks of the input that all providers share. */
import { InvalidRequestError, type FieldViolation } from "../errors.js";
import { Role, type Part, type Turn } from "../generated/mediaconduit/v1/media.js";
import type { TransformOptions } from "../generated/mediaconduit/v1/options.js";
import type { TransformRequest } from "../generated/mediaconduit/v1/transform.js";
import type { InputSpec, Model } from "../provider.js";
import { isText, matches } from "./mediaTypes.js";
import { contentOf, isInput, isUser, mediaTypeOf } from "./parts.js";

/** Throws `InvalidRequestError` for input that the model cannot take. `live`: turns may come later. */
export function checkRequest(request: TransformRequest, model: Model, live: boolean): void {
  const emptyIsFine = live || (!request.turns.length && request.resumeToken.length > 0);
  const said = request.turns.some((turn) => turn.role !== Role.SYSTEM && turn.parts.some(hasContent));
  if (!emptyIsFine && !said) {
    throw InvalidRequestError.at("turns", "the input is empty", "send text, or a part with content");
  }
  checkTurns(request.turns, model, request.options);
  const given = new Set(
    request.turns.flatMap((turn) => (isUser(turn.role) ? turn.parts.map((part) => part.name) : [])),
  );
  for (const { name, required } of model.inputs ?? []) {
    if (required && name && !given.has(name) && !emptyIsFine) {
      throw InvalidRequestError.at("turns", `input '${name}' is missing`, `add a part with the name '${name}'`);
    }
  }
  checkOutputs(request.options, model);
}

/** Names, media types, sizes and numbers of the parts of user turns; fields begin at `turns[first]`. */
export function checkTurns(turns: Turn[], model: Model, options: TransformOptions | undefined, first = 0): void {
  const samples = samplesOf(options);
  const named = new Map<string, number>();
  const violations: FieldViolation[] = [];
  for (const [t, turn] of turns.entries()) {
    if (!isUser(turn.role)) continue;
    for (const [p, part] of turn.parts.entries()) {
      if (!isInput(part)) continue;
      const count = (named.get(part.name) ?? 0) + 1;
      named.set(part.name, count);
      const field = `turns[${t + first}].parts[${p}]`;
      violations.push(...partViolations(part, field, specFor(model, part.name, samples), model, count));
    }
  }
  const [wrong] = violations;
  if (!wrong) return;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : "";
  throw new InvalidRequestError(`${wrong.field}: ${wrong.description}${more}`, { fields: violations });
}

/** Largest size of an input in bytes; 0 = no limit. */
export function limitOf(model: Model, name: string, options: TransformOptions | undefined): number {
  return specFor(model, name, samplesOf(options))?.maxBytes ?? 0;
}

/** The capability meant where none was named: what suits the last user turn, else the first. */
export function inferCapability(model: Model, turns: Turn[]): string {
  const said = turns.findLast((turn) => isUser(turn.role));
  const kinds = (said?.parts ?? []).filter((part) => !part.name).map(kindOf);
  // An image with words about it is an image.
  for (const kind of [...kinds.filter((kind) => kind !== "text"), ...kinds.filter((kind) => kind === "text")]) {
    const found = model.capabilities.find((capability) => capability.startsWith(`${kind}-to-`));
    if (found) return found;
  }
  return model.capabilities[0] ?? "";
}

/** An input that is larger than is taken. */
export function tooLarge(what: string, limit: number, actual: number): InvalidRequestError {
  return new InvalidRequestError(`${what} has ${actual} bytes; at most ${limit} are taken here`, {
    reason: "INPUT_TOO_LARGE",
    metadata: { limit: String(limit), actual: String(actual) },
  });
}

function kindOf(part: Part): string {
  if (part.text !== undefined || isText(mediaTypeOf(part))) return "text";
  const kind = mediaTypeOf(part).split("/", 1)[0]!.toLowerCase();
  return kind === "model" ? "3d" : kind;
}

/** What the model says about inputs of that name; undefined when it knows none. */
function specFor(model: Model, name: string, samples: ReadonlySet<string>): InputSpec | undefined {
  const found = model.inputs?.find((spec) => (spec.name ?? "") === name);
  if (found) return found;
  if (samples.has(name)) return specFor(model, "voice", new Set());
  return name ? undefined : {};
}

/** Names of inputs that hold samples of speakers: they are taken as "voice" is. */
function samplesOf(options: TransformOptions | undefined): ReadonlySet<string> {
  return new Set((options?.audio?.speakers ?? []).map((speaker) => speaker.voicePart).filter(Boolean));
}

function partViolations(
  part: Part,
  field: string,
  spec: InputSpec | undefined,
  model: Model,
  count: number,
): FieldViolation[] {
  if (!spec) {
    const names = (model.inputs ?? []).flatMap(({ name }) => (name ? [`'${name}'`] : []));
    const there = names.length ? `it takes ${names.join(", ")}` : "it takes no named inputs";
    return [{ field: `${field}.name`, description: `the model takes no input '${part.name}'; ${there}` }];
  }
  const found: FieldViolation[] = [];
  const mediaType = mediaTypeOf(part);
  if (spec.mediaTypes?.length && !spec.mediaTypes.some((pattern) => matches(pattern, mediaType))) {
    const description = `${mediaType} is not taken here; allowed: ${spec.mediaTypes.join(", ")}`;
    found.push({ field: `${field}.media_type`, description });
  }
  const most = Math.max(spec.maxCount ?? 1, 1);
  if (part.name && count > most) {
    found.push({ field: `${field}.name`, description: `at most ${most} inputs '${part.name}' are taken` });
  }
  if (!hasContent(part) && (part.name || part.text === undefined)) found.push({ field, description: "is empty" });
  if (part.data && isText(mediaType) && !isUtf8(part.data)) {
    found.push({ field, description: `says it is ${mediaType} but is not text in UTF-8` });
  }
  const size = sizeOf(part);
  if (spec.maxBytes && size > spec.maxBytes) throw tooLarge(field, spec.maxBytes, size);
  return found;
}

function checkOutputs(options: TransformOptions | undefined, model: Model): void {
  const wanted = options?.outputMediaTypes ?? [];
  const made = model.outputMediaTypes ?? [];
  if (!wanted.length || !made.length) return;
  if (!wanted.some((pattern) => made.some((mediaType) => matches(pattern, mediaType)))) {
    throw InvalidRequestError.at(
      "options.output_media_types",
      `${wanted.join(", ")} cannot be made; allowed: ${made.join(", ")}`,
    );
  }
}

function hasContent(part: Part): boolean {
  const content = contentOf(part);
  if (content === "text" || content === "data") return part[content]!.length > 0;
  return content !== undefined;
}

function isUtf8(data: Buffer): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(data);
    return true;
  } catch {
    return false;
  }
}

function sizeOf(part: Part): number {
  if (part.asset) return part.asset.sizeBytes ?? 0;
  return part.data ? part.data.length : Buffer.byteLength(part.text ?? "");
}

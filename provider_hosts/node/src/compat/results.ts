/** What models of the original system give back, as what `transform` yields. */
import { readFile } from "node:fs/promises";
import { InternalError } from "../errors.js";
import type { Yielded } from "../outputs.js";
import { Output } from "../outputs.js";
import { Audio, Image, sniff, Text, Video, type Facts } from "./assets.js";

/** Names under which objects hold what was made. */
const CONTENTS = [
  "content",
  "text",
  "output",
  "result",
  "response",
  "data",
  "audio",
  "image",
  "video",
  "images",
  "url",
];
const UNITS: readonly [string, string[]][] = [
  ["input-token", ["input_tokens", "prompt_tokens", "inputTokens", "promptTokens"]],
  ["output-token", ["output_tokens", "completion_tokens", "outputTokens", "completionTokens"]],
];

/** Everything in a result, in order, and then what its metadata tells of how it was made. */
export async function* yieldedOf(result: any, depth = 0): AsyncGenerator<Yielded> {
  if (result === undefined || result === null || depth > 6) return;
  if (typeof result === "string") yield result;
  else if (result instanceof Text) {
    yield result.content;
    yield* told(result.metadata);
  } else if (result instanceof Audio || result instanceof Image || result instanceof Video) {
    yield* media(result);
    yield* told(result.metadata);
  } else if (result instanceof Uint8Array) yield* bytes(Buffer.from(result));
  else if (Array.isArray(result)) for (const item of result) yield* yieldedOf(item, depth + 1);
  else if (typeof result === "object") yield* plain(result, depth);
  else yield String(result);
}

/** A piece of a stream: a text, or an object that holds the text that comes next. */
export function pieceOf(piece: any): string {
  if (typeof piece === "string") return piece;
  if (piece instanceof Text) return piece.content;
  const found = piece?.delta ?? piece?.content ?? piece?.text ?? "";
  return typeof found === "string" ? found : pieceOf(found);
}

/** What was consumed and which model it was, where metadata tells. */
export function* told(metadata: Facts | undefined): Generator<Yielded> {
  if (!metadata || typeof metadata !== "object") return;
  const prompt: Facts = metadata.generation_prompt ?? metadata.generationPrompt ?? {};
  const inner: Facts = { ...prompt.metadata, ...metadata };
  const usage: Facts = inner.usage ?? inner;
  const units: Record<string, number> = {};
  for (const [unit, names] of UNITS) {
    const count = names.map((name) => usage[name]).find((value) => Number.isInteger(value));
    if (count !== undefined) units[unit] = count;
  }
  if (Object.keys(units).length) yield { usage: { units } };
  const facts = {
    vendorModel: text(prompt.modelId ?? inner.model),
    vendorRequestId: text(inner.requestId ?? inner.request_id),
    vendorResponseId: text(inner.responseId ?? inner.response_id ?? inner.id ?? inner.predictionId),
  };
  if (Object.values(facts).some(Boolean)) yield { facts };
}

async function* plain(result: Facts, depth: number): AsyncGenerator<Yielded> {
  if (typeof result.asRole === "function") {
    const content = result.content ?? result.data;
    yield* yieldedOf(content, depth + 1);
    yield* told(result.metadata);
    return;
  }
  if (Array.isArray(result.segments) && result.segments.length && typeof result.text === "string") {
    yield* transcript(result);
    return;
  }
  const path = result.filePath ?? result.localPath ?? result.path;
  if (typeof path === "string") yield* bytes(await readFile(path), result.format ?? result.mimeType);
  else {
    const name = CONTENTS.find((known) => result[known] !== undefined && result[known] !== null);
    if (name === undefined) {
      throw new InternalError("the provider gave back an object in which there is no output", {
        reason: "VENDOR_PROTOCOL",
      });
    }
    const content = result[name];
    if (typeof content === "string" && /^https:\/\//.test(content) && name !== "text" && name !== "content") {
      yield { part: { asset: { uri: content, mediaType: text(result.mimeType ?? result.mediaType) } } };
    } else yield* yieldedOf(content, depth + 1);
  }
  yield* told({ ...result.metadata, usage: result.usage ?? result.metadata?.usage });
}

/** A text with times, in seconds. */
function* transcript(result: Facts): Generator<Yielded> {
  yield result.text;
  const segments = (result.segments as Facts[]).map(({ text: words, start, end }) => ({
    text: String(words ?? "").trim(),
    startOffset: offset(start),
    endOffset: offset(end),
  }));
  yield { transcript: { segments, language: text(result.language) } };
  yield* told(result.metadata);
}

function* media(asset: Audio | Image | Video): Generator<Yielded> {
  const kind = asset instanceof Audio ? "audio" : asset instanceof Image ? "image" : "video";
  const stated = asset.metadata.mimeType ?? asset.metadata.mediaType;
  yield* bytes(asset.data, stated ?? sniff(asset.data) ?? `${kind}/${asset.format}`);
}

function* bytes(data: Buffer, stated?: string): Generator<Yielded> {
  const type = stated?.includes("/") ? stated : sniff(data);
  const output = new Output(type ?? "application/octet-stream");
  yield output;
  yield output.data(data);
  yield output.done();
}

function offset(seconds: unknown): { seconds: number; nanos: number } | undefined {
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return undefined;
  return { seconds: Math.floor(seconds), nanos: Math.round((seconds % 1) * 1e9) };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

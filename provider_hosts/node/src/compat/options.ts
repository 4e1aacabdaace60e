/** Options of the original system by kind, and what they are called in the contract. */
import type { Call, Input } from "../call.js";
import type { Schema } from "../provider.js";
import { Audio, Image, Video, type Facts } from "./assets.js";

const NUMBER: Schema = { type: "number" };
const WHOLE: Schema = { type: "integer" };
const TEXT: Schema = { type: "string" };

interface Shared {
  /** Path in the contract. */
  path: string;
  schema: Schema;
  /** What the original calls it. */
  name: string;
}

const shared = (path: string, name: string, schema: Schema): Shared => ({ path, schema, name });

const SEED = shared("seed", "seed", WHOLE);
const WRITING = [
  SEED,
  shared("text.temperature", "temperature", { type: "number", minimum: 0 }),
  shared("text.top_p", "topP", { type: "number", minimum: 0, maximum: 1 }),
  shared("text.top_k", "topK", { type: "integer", minimum: 1 }),
  shared("text.max_output_tokens", "maxOutputTokens", { type: "integer", minimum: 1 }),
];
const FRAME = (group: string): Shared[] => [
  shared(`${group}.width`, "width", { type: "integer", minimum: 1 }),
  shared(`${group}.height`, "height", { type: "integer", minimum: 1 }),
  shared(`${group}.aspect_ratio`, "aspectRatio", TEXT),
  shared(`${group}.quality`, "quality", TEXT),
  shared(`${group}.negative_prompt`, "negativePrompt", TEXT),
  shared(`${group}.guidance_scale`, "guidanceScale", NUMBER),
  shared(`${group}.steps`, "steps", { type: "integer", minimum: 1 }),
];
const SPEAKING = [
  shared("audio.voice", "voice", TEXT),
  shared("audio.language", "language", TEXT),
  shared("audio.speed", "speed", { type: "number", exclusiveMinimum: 0 }),
  shared("audio.pitch", "pitch", NUMBER),
  shared("audio.gain_db", "volume", NUMBER),
];
const FILMING = [
  SEED,
  ...FRAME("video.frame"),
  shared("video.duration", "duration", { type: "number", exclusiveMinimum: 0 }),
  shared("video.frame_rate", "fps", { type: "number", exclusiveMinimum: 0 }),
  shared("video.motion_strength", "motionStrength", NUMBER),
  shared("video.looping", "loop", { type: "boolean" }),
  shared("video.camera_motion", "cameraMovement", TEXT),
];
const LISTENING = [shared("transcript.language", "language", TEXT)];

/** The shared options of a capability. */
function sharedOf(capability: string): Shared[] {
  const [from, to] = capability.split("-to-");
  if (to === "text") return from === "audio" ? LISTENING : WRITING;
  if (to === "image") return [SEED, ...FRAME("image")];
  if (to === "video") return FILMING;
  return from === "text" && to === "audio" ? SPEAKING : [];
}

/** Schemas of the options of a model, by path. What else its code knows is "extra". */
export function schemasOf(capabilities: readonly string[]): Record<string, Schema> {
  const found: Record<string, Schema> = {};
  for (const { path, schema } of capabilities.flatMap(sharedOf)) found[path] = schema;
  return {
    ...found,
    extra: { type: "object", description: "Options of the provider's own, as its documentation has them." },
  };
}

/** The options of a call as the original's providers expect them. */
export async function optionsOf(call: Call): Promise<Facts> {
  const options: Facts = { ...(call.options.extra ?? {}) };
  for (const { path, name } of sharedOf(call.capability)) {
    const value = call.option(path);
    if (value !== undefined) options[name] = value;
  }
  const schema = call.options.text?.jsonSchema;
  if (schema) options.responseFormat = { type: "json_object", schema: JSON.parse(schema) };
  const names = new Set(call.turns.flatMap((turn) => turn.parts.map((part) => part.name)).filter(Boolean));
  for (const name of names) options[name === "voice" ? "voiceToClone" : camel(name)] = await assetOf(call.input(name));
  return options;
}

/** An input as the asset it is. */
export async function assetOf(input: Input): Promise<Audio | Image | Video | string> {
  const [kind] = input.mediaType.split("/");
  if (kind !== "audio" && kind !== "image" && kind !== "video") return input.text;
  const data = await input.bytes();
  const format = input.mediaType.split(/[/;]/)[1]!.replace(/^x-/, "");
  const path = await input.path();
  const metadata = { format, mimeType: input.mediaType, path, filePath: path, localPath: path };
  if (kind === "audio") return new Audio(data, { path, filePath: path }, metadata);
  return kind === "image" ? new Image(data, format, metadata) : new Video(data, format, metadata);
}

function camel(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

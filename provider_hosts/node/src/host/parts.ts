/** What parts of the input hold. */
import type { Part } from "../generated/mediaconduit/v1/media.js";
import { Role } from "../generated/mediaconduit/v1/media.js";
import { isText } from "./mediaTypes.js";

const CONTENTS = [
  "text",
  "data",
  "asset",
  "toolCall",
  "toolResult",
  "reasoning",
  "transcript",
  "embedding",
  "scores",
  "stream",
] as const;

/** Which content a part has; undefined when it has none. */
export function contentOf(part: Part): (typeof CONTENTS)[number] | undefined {
  return CONTENTS.find((name) => part[name] !== undefined);
}

/** Whether a part is media that authors read as an input. */
export function isInput(part: Part): boolean {
  return part.text !== undefined || part.data !== undefined || part.asset !== undefined || part.stream !== undefined;
}

/** Whether a turn is the caller's. */
export function isUser(role: Role): boolean {
  return role === Role.USER || role === Role.UNSPECIFIED;
}

/** What a part says it is. */
export function mediaTypeOf(part: Part): string {
  if (part.mediaType) return part.mediaType;
  if (part.asset) return part.asset.mediaType;
  return part.text !== undefined ? "text/plain" : "application/octet-stream";
}

/** The text a part holds, also one that was sent as bytes of a text; empty when it holds none. */
export function textOf(part: Part): string {
  if (part.data !== undefined && isText(part.mediaType)) return part.data.toString("utf8");
  return part.text ?? "";
}

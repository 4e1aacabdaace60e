/** Options as plain values: what JSON Schemas and `Call.option` see. */
import { TransformOptions } from "../generated/mediaconduit/v1/options.js";

/** Fields that are durations, by their names in the contract. */
const DURATIONS = new Set(["duration", "silence", "cache_ttl"]);

/** What is set, under its name in the contract: durations in seconds, enums by name. */
export function plainOptions(options: TransformOptions): Record<string, any> {
  return plain(TransformOptions.toJSON(options) as Record<string, unknown>);
}

/** "maxOutputTokens" as the contract has it: "max_output_tokens". */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** "max_output_tokens" as TypeScript has it: "maxOutputTokens". */
export function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function plain(value: Record<string, unknown>): Record<string, any> {
  const found: Record<string, any> = {};
  for (const [key, inner] of Object.entries(value)) {
    const name = snake(key);
    if (name === "extra") found[name] = inner;
    else if (DURATIONS.has(name)) found[name] = seconds(inner as { seconds?: number; nanos?: number });
    else if (Array.isArray(inner)) found[name] = inner.map((item) => (isObject(item) ? plain(item) : item));
    else found[name] = isObject(inner) ? plain(inner) : inner;
  }
  return found;
}

function seconds(duration: { seconds?: number; nanos?: number }): number {
  return (duration.seconds ?? 0) + (duration.nanos ?? 0) / 1e9;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** `generation_prompt` of the original system: what an output was made from. */
import type { Facts } from "./assets.js";

/** What to put into the metadata of an output. */
export function createGenerationPrompt(facts: Facts): Facts {
  const { input, options, modelId, modelName, provider, transformationType, modelMetadata, aiMetadata, metadata } =
    facts;
  return {
    input: extractInputContent(input),
    options: options ?? {},
    modelId,
    modelName: modelName ?? modelId,
    provider,
    transformationType,
    timestamp: new Date().toISOString(),
    metadata: { ...modelMetadata, ...aiMetadata, ...metadata },
  };
}

/** The words of an input, or what it is. */
export function extractInputContent(input: unknown): unknown {
  if (Array.isArray(input)) return input.map(extractInputContent);
  if (typeof input !== "object" || input === null) return input;
  const { content, data } = input as Facts;
  if (typeof content === "string") return content;
  if (Buffer.isBuffer(data)) return `${data.length} bytes of ${(input as Facts).format ?? "data"}`;
  return input;
}

/** Which models a provider of the original system has: there are several ways to ask, and each provider knows some. */
import type { Model as Described } from "../provider.js";
import type { Facts } from "./assets.js";
import { capabilityOf } from "./models.js";
import { schemasOf } from "./options.js";

const MEDIA_PAIR = /^(text|image|audio|video|3d)-to-(text|image|audio|video|3d)$/;
/** Capabilities outside of ours, as the nearest of ours. */
const NEAREST: Record<string, string> = {
  "text-to-speech": "text-to-audio",
  "voice-cloning": "text-to-audio",
  "speech-to-text": "audio-to-text",
  transcription: "audio-to-text",
  translation: "audio-to-text",
  "image-generation": "text-to-image",
  "video-generation": "text-to-video",
  "video-animation": "image-to-video",
  "avatar-generation": "text-to-video",
  "text-generation": "text-to-text",
  "chat-completion": "text-to-text",
};
/** What is asked about where a provider does not say what it can do. */
const ASKED = [
  "text-to-text",
  "text-to-image",
  "text-to-audio",
  "text-to-video",
  "image-to-text",
  "image-to-image",
  "image-to-video",
  "video-to-video",
  "video-to-audio",
  "video-to-image",
  "audio-to-text",
  "audio-to-audio",
];
const OUTPUT_TYPES: Record<string, string[]> = { text: ["text/plain"] };

/** Names of models, with what is known of each. */
export async function discover(provider: any, manifest: Facts): Promise<Described[]> {
  const capabilities = capabilitiesOf([
    ...list(provider.capabilities),
    ...list(manifest.capabilities),
    ...list(manifest.capability),
  ]);
  const found = new Map<string, Facts>();
  const add = (entries: unknown, capability?: string): void => {
    for (const entry of entriesOf(entries)) {
      const known = found.get(entry.id) ?? { capabilities: [] };
      const own = capabilitiesOf([
        ...known.capabilities,
        ...list(entry.capabilities),
        ...(capability ? [capability] : []),
      ]);
      found.set(entry.id, { ...known, ...entry, capabilities: own });
    }
  };
  add(await provider.models);
  if (typeof provider.getModelsForCapability === "function") {
    for (const capability of capabilities.length ? capabilities : ASKED) {
      add(await provider.getModelsForCapability(capability), capability);
    }
  }
  for (const method of ["getAvailableModels", "getSupportedModels"]) {
    if (!found.size && typeof provider[method] === "function") add(await provider[method]());
  }
  if (!found.size) add(Array.isArray(manifest.models) ? manifest.models : []);
  const described = [...found.values()].map((entry) => describe(entry, capabilities, provider));
  return (await Promise.all(described)).filter((model) => model.capabilities.length > 0);
}

/** Words for capabilities as ours, without repetition; those that mean none of ours are left out. */
export function capabilitiesOf(words: readonly unknown[]): string[] {
  const found = words.flatMap((word) => {
    if (typeof word !== "string") return [];
    const plain = word
      .replace(/(?<=[a-z0-9])(?=[A-Z])/g, "-")
      .replaceAll("_", "-")
      .toLowerCase();
    if (MEDIA_PAIR.test(plain)) return [plain];
    return NEAREST[plain] ? [NEAREST[plain]!] : [];
  });
  return [...new Set(found)];
}

async function describe(entry: Facts, ofProvider: string[], provider: any): Promise<Described> {
  let capabilities: string[] = entry.capabilities;
  if (!capabilities.length) {
    const model = await modelOf(provider, entry.id);
    const own = model && capabilityOf(model);
    capabilities = own ? [own] : ofProvider.slice(0, 1);
  }
  const outputs = new Set(capabilities.map((capability) => capability.split("-to-")[1]!));
  const features = ["original"];
  return {
    id: entry.id,
    displayName: text(entry.name) || entry.id,
    description: text(entry.description),
    capabilities,
    options: schemasOf(capabilities),
    outputMediaTypes: outputs.size === 1 ? OUTPUT_TYPES[[...outputs][0]!] : undefined,
    contextTokens: whole(entry.contextLength ?? entry.context_length ?? entry.contextWindow),
    maxOutputTokens: whole(entry.maxOutputTokens ?? entry.max_output_tokens),
    features,
  };
}

/** The provider's own object for a model; undefined when it cannot be had. */
export async function modelOf(provider: any, id: string): Promise<any> {
  try {
    if (typeof provider.getModel === "function") return (await provider.getModel(id)) ?? undefined;
    return await provider.createModel?.(id);
  } catch {
    return undefined;
  }
}

/** Entries of a list of models, ids or objects; those without an id are left out. */
function entriesOf(entries: unknown): Facts[] {
  const all = Array.isArray(entries) ? entries : entries instanceof Map ? [...entries.values()] : [];
  return all.flatMap((entry): Facts[] => {
    if (typeof entry === "string") return entry ? [{ id: entry }] : [];
    if (typeof entry !== "object" || entry === null) return [];
    const id = entry.id ?? entry.getId?.() ?? entry.metadata?.id;
    const facts = { ...entry.metadata, ...entry };
    return typeof id === "string" && id ? [{ ...facts, id, name: entry.name ?? entry.getName?.() }] : [];
  });
}

function list(value: unknown): unknown[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function whole(value: unknown): number {
  return typeof value === "number" && value > 0 ? Math.floor(value) : 0;
}

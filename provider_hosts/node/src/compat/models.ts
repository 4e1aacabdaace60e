/** Models of the original system, and the words for what they can do. */
import type { Facts } from "./assets.js";

const MEDIA = ["text", "image", "audio", "video"] as const;
const TITLE = { text: "Text", image: "Image", audio: "Audio", video: "Video" } as const;
const MORE = [
  "text-to-3d",
  "image-to-3d",
  "text-to-speech",
  "speech-to-text",
  "voice-cloning",
  "avatar-generation",
  "image-generation",
  "video-generation",
  "video-animation",
  "text-generation",
  "chat-completion",
  "embeddings",
  "transcription",
  "translation",
];

/** "text-to-image" by "TEXT_TO_IMAGE". */
export const MediaCapability: Record<string, string> = Object.fromEntries(
  [...MEDIA.flatMap((from) => MEDIA.map((to) => `${from}-to-${to}`)), ...MORE].map((capability) => [
    capability.replaceAll("-", "_").toUpperCase(),
    capability,
  ]),
);

export const ProviderType = { LOCAL: "local", REMOTE: "remote" } as const;

/** What all models have in common. Subclasses assign `id`, `name` and `capabilities` themselves, so none is a getter. */
export class Model {
  metadata: Facts;

  constructor(metadata: Facts = {}) {
    this.metadata = metadata;
  }

  getId(): string {
    return this.metadata.id;
  }

  getName(): string {
    return this.metadata.name ?? this.metadata.id;
  }

  getDescription(): string {
    return this.metadata.description ?? "";
  }

  getVersion(): string {
    return this.metadata.version ?? "";
  }

  getProvider(): string {
    return this.metadata.provider ?? "";
  }

  getCapabilities(): string[] {
    return this.metadata.capabilities ?? [];
  }

  getInputTypes(): string[] {
    return this.metadata.inputTypes ?? [];
  }

  getOutputTypes(): string[] {
    return this.metadata.outputTypes ?? [];
  }

  getParameters(): Facts {
    return this.metadata.parameters ?? {};
  }

  async isAvailable(): Promise<boolean> {
    return true;
  }

  toString(): string {
    return `${this.getName()} (${this.getId()})`;
  }
}

/** What a model of that class does: "TextToImageModel" gives "text-to-image". */
export function capabilityOf(model: object): string | undefined {
  for (let kind = Object.getPrototypeOf(model); kind && kind !== Object.prototype; kind = Object.getPrototypeOf(kind)) {
    const match = /^(Text|Image|Audio|Video)To(Text|Image|Audio|Video)Model$/.exec(kind.constructor.name);
    if (match) return `${match[1]}-to-${match[2]}`.toLowerCase();
  }
  return undefined;
}

/** "TextToImageModel" and its like, for every pair of media. */
export const MODELS: Record<string, typeof Model> = Object.fromEntries(
  MEDIA.flatMap((from) =>
    MEDIA.map((to) => {
      const name = `${TITLE[from]}To${TITLE[to]}Model`;
      return [name, { [name]: class extends Model {} }[name]!];
    }),
  ),
);

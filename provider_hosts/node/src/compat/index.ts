/**
 * What providers import of the original system, whatever path they import it by. Names that were only types are
 * undefined, which is what importing a type gives.
 */
export { Audio, Image, SmartAssetFactory, Text, Video } from "./assets.js";
export { AbstractDockerProvider } from "./docker.js";
export { MediaCapability, Model, ProviderType } from "./models.js";
export { createGenerationPrompt, extractInputContent } from "./prompts.js";

import * as assets from "./assets.js";
import { MODELS } from "./models.js";

/** As one object, for CommonJS. */
export function surface(own: object): Record<string, unknown> {
  return {
    ...own,
    ...MODELS,
    AudioRole: assets.Audio,
    GenerationPromptHelper: {
      createGenerationPrompt: (own as any).createGenerationPrompt,
      extractInputContent: (own as any).extractInputContent,
    },
  };
}

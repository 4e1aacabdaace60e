/** The class authors extend, and how they describe their models. */
import type { ModelState, Pricing } from "./generated/mediaconduit/v1/models.js";
import type { Progress } from "./generated/mediaconduit/v1/events.js";
import type { CreateVoiceRequest, Voice } from "./generated/mediaconduit/v1/voices.js";
import type { Call, Input, Session } from "./call.js";
import type { DeepPartial, Yielded } from "./outputs.js";

/** JSON Schema as data. */
export type Schema = Record<string, unknown>;

/** What `transform` may give: a generator, or something else to iterate or await. */
export type Transformed =
  AsyncIterable<Yielded> | Iterable<Yielded> | Promise<AsyncIterable<Yielded> | Yielded | void> | Yielded | void;

/** An input a model takes. The host enforces it before and while the input arrives. */
export interface InputSpec {
  /** `Part.name`; empty for the main input. */
  name?: string;
  /** Accepted media types ("audio/*"); empty accepts any. */
  mediaTypes?: readonly string[];
  /** A call without it is refused. */
  required?: boolean;
  /** Largest size in bytes; 0 = no limit. */
  maxBytes?: number;
  /** Most parts with this name; default 1. */
  maxCount?: number;
}

/** A model of a provider. */
export interface Model {
  /** The vendor's own id; becomes "providers/{provider}/models/{id}". */
  id: string;
  /** What it does ("text-to-audio"). */
  capabilities: readonly string[];
  displayName?: string;
  description?: string;
  /**
   * The options it takes: JSON Schema by path, `{"audio.speed": {type: "number", minimum: 0.5}}`. Shared options have
   * their path in `TransformOptions` with the contract's names ("seed", "text.max_output_tokens", durations in
   * seconds); the model's own begin with "extra.". Any other is refused, or dropped where the caller is lenient.
   */
  options?: Readonly<Record<string, Schema>>;
  inputs?: readonly InputSpec[];
  /** What it can make, the default first ("audio/wav"). */
  outputMediaTypes?: readonly string[];
  /** Finer than capabilities ("streaming", "tools", "live"). */
  features?: readonly string[];
  /** Tokens of input and output together; 0 = unknown. */
  contextTokens?: number;
  maxOutputTokens?: number;
  /** Absent = unknown; without rates = free. */
  pricing?: DeepPartial<Pricing>;
  /** For models on this machine. */
  state?: ModelState;
  /** The same for the same model at other providers. */
  canonicalId?: string;
  /** When the vendor brought it out, and when it stops serving it. */
  releaseTime?: Date;
  retireTime?: Date;
}

/** How far the fetch of a model is. */
export interface PullProgress {
  /** "manifest", "download", "verify" or the vendor's own. */
  stage: string;
  completedBytes?: number;
  /** 0 = unknown. */
  totalBytes?: number;
  message?: string;
}

/** Settings as configured. */
export type Settings = Readonly<Record<string, any>>;

/**
 * Turns media into media. Extend it, list `models` and write `transform`; all else is optional. One instance serves
 * all calls of a sidecar, concurrently.
 *
 * Throw the errors of this package where the caller can do something about it. Anything else that escapes becomes
 * INTERNAL with an error id, and its text goes to the logs only.
 */
export class Provider {
  /** What `listModels` gives, unless it is overridden. */
  models: readonly Model[] = [];
  /** True while `models` are only what is known without asking the vendor: they are asked for again soon. */
  modelsProvisional = false;
  /** The id it has where nobody says another; default: the class name in lower case. */
  static id = "";
  /** For people; default: the class name. */
  static displayName = "";
  /** JSON Schema of `settings`; secrets are marked `writeOnly: true`. */
  settingsSchema: Schema = { type: "object", additionalProperties: false };
  /** Calls at once; one more is refused with OVERLOADED. 0 = no limit. */
  maxConcurrency = 16;
  /** As last configured, validated. */
  settings: Settings = {};
  /** As last reported by `reportLoading`. */
  loadingProgress: Partial<Progress> | undefined;

  /** Says how far `setup` is. With every change whoever waits for the provider gives it more time. */
  reportLoading(fraction?: number, message = ""): void {
    this.loadingProgress = { stage: "loading", message, fraction };
  }

  /** Prepares what calls need. The sidecar is LOADING until this returns; an exception ends it. */
  async setup(): Promise<void> {}

  /** Takes validated settings, replacing those before. Throw `InvalidRequestError` to refuse them. */
  async configure(settings: Settings): Promise<void> {
    this.settings = settings;
  }

  /** Frees what `setup` took; also runs after a `setup` that failed. */
  async close(): Promise<void> {}

  /** The models, from a cache unless `refresh` is set. */
  async listModels(_options: { refresh: boolean }): Promise<readonly Model[]> {
    return this.models;
  }

  /**
   * A model that may not be listed: for vendors that serve more than they list. Asked once for each id, before
   * `listModels`: it should not have to ask anyone.
   */
  async findModel(_id: string): Promise<Model | undefined> {
    return undefined;
  }

  /**
   * Does the work. `ctx.signal` is aborted when the caller leaves or its deadline passes: hand it on to whatever
   * takes one. A generator ends at its next `yield` then, and its `finally` runs.
   */
  transform(_input: Input, _ctx: Call): Transformed {
    throw new Error("transform is not there");
  }

  /** A conversation: turns come in while outputs go out. For models with the feature "live". */
  live(_session: Session): Transformed {
    throw new Error("live is not there");
  }

  /** Voices to speak with; `name` may be the bare id. Overriding it serves `mediaconduit.v1.Voices`. */
  async listVoices(): Promise<readonly DeepPartial<Voice>[]> {
    throw new Error("listVoices is not there");
  }

  /** Makes a voice. */
  async createVoice(_request: CreateVoiceRequest): Promise<DeepPartial<Voice>> {
    throw new Error("createVoice is not there");
  }

  /** Removes a voice that was made. */
  async deleteVoice(_id: string): Promise<void> {
    throw new Error("deleteVoice is not there");
  }

  /** Fetches a model to this machine; overriding it serves `mediaconduit.v1.LocalModels`. */
  pullModel(_id: string, _options: { signal: AbortSignal }): AsyncIterable<PullProgress> {
    throw new Error("pullModel is not there");
  }

  /** Removes a model from this machine. */
  async deleteModel(_id: string): Promise<void> {
    throw new Error("deleteModel is not there");
  }
}

/** Whether the author overrode a method of `Provider`, in the class or in the instance. */
export function overrides(provider: Provider, method: keyof Provider & string): boolean {
  return provider[method] !== Provider.prototype[method as "transform"];
}

/** The models of a provider, by name. */
import { InvalidRequestError, NotFoundError, PreconditionError } from "../errors.js";
import { Model as ModelMessage } from "../generated/mediaconduit/v1/models.js";
import { overrides, type Model, type Provider } from "../provider.js";
import { OptionsSchema } from "./options.js";

/** Models that are remembered beside those listed: callers may name what they like. */
const UNLISTED = 1000;
const CAPABILITY = /^(text|image|audio|video|3d)-to-(text|image|audio|video|3d|embedding|scores)$/;

/** An author described a model in a way that cannot be. */
export class ModelError extends Error {}

/** A model and what the host works out about it. */
export class Entry {
  readonly schema: OptionsSchema;

  constructor(
    readonly name: string,
    readonly model: Model,
  ) {
    for (const capability of model.capabilities ?? []) {
      if (!CAPABILITY.test(capability)) {
        throw new ModelError(`model ${model.id}: ${capability} is not a capability like 'text-to-audio'`);
      }
    }
    try {
      this.schema = new OptionsSchema(model);
    } catch (error) {
      throw new ModelError((error as Error).message);
    }
  }

  /** As the contract has it; the schema of options only on demand. */
  toMessage(withSchema = false): ModelMessage {
    const { id, options: _, inputs, displayName, ...rest } = this.model;
    return ModelMessage.fromPartial({
      ...(rest as object),
      name: this.name,
      displayName: displayName || id,
      inputs: (inputs ?? []).map((spec) => ({ ...spec, mediaTypes: [...(spec.mediaTypes ?? [])] })),
      optionsSchema: withSchema ? JSON.stringify(this.schema.document) : "",
    });
  }
}

/** Asks the provider for its models and finds them by name. */
export class Catalog {
  readonly #prefix: string;
  #entries = new Map<string, Entry>();
  /** Found by `Provider.findModel` since the last list. */
  readonly #unlisted = new Map<string, Entry>();
  #listed: readonly Model[] | undefined;
  /** When the provider last gave a new list. */
  refreshTime: Date | undefined;

  constructor(
    private readonly provider: Provider,
    readonly providerId: string,
  ) {
    this.#prefix = `providers/${providerId}/models/`;
  }

  /** Everything any of the models known now can do. */
  get capabilities(): string[] {
    const models = this.#entries.size ? [...this.#entries.values()].map((entry) => entry.model) : this.provider.models;
    return [...new Set(models.flatMap((model) => model.capabilities))].sort();
  }

  /** Asks the provider, which answers from its cache unless `refresh` is set. */
  async list(refresh = false): Promise<Entry[]> {
    const models = await this.provider.listModels({ refresh });
    if (models !== this.#listed || refresh) {
      this.#entries = this.#indexed(models);
      this.#unlisted.clear();
      this.#listed = models;
      this.refreshTime = new Date();
    }
    return [...this.#entries.values()];
  }

  /** Asks the provider again at the next unknown name: what it has may depend on its settings. */
  forget(): void {
    this.#listed = undefined;
    this.#entries = new Map();
    this.#unlisted.clear();
  }

  /** The model of that name. Throws `NotFoundError` with the nearest ones. */
  async find(name: string): Promise<Entry> {
    if (!name) throw InvalidRequestError.at("model", "no model is named", `name one like ${this.#prefix}<model>`);
    const id = this.#idOf(name);
    let entry = this.#entries.get(id) ?? (await this.#findUnlisted(id));
    if (!entry) {
      await this.list();
      entry = this.#entries.get(id);
    }
    if (!entry) throw this.#unknown(name, id);
    return entry;
  }

  /** The model and the capability that a request means. */
  async choose(name: string, capability: string): Promise<[Entry, string]> {
    if (!name && capability) {
      const able = (await this.list()).filter((entry) => entry.model.capabilities.includes(capability));
      if (able.length === 1) return [able[0]!, capability];
    }
    const entry = await this.find(name);
    const available = entry.model.capabilities;
    if (!capability) return [entry, available[0] ?? ""];
    if (!available.includes(capability)) {
      throw new PreconditionError(`${entry.name} does not do ${capability}`, {
        hint: `it does ${available.join(", ")}`,
        metadata: { capability, available: available.join(",") },
      });
    }
    return [entry, capability];
  }

  async #findUnlisted(id: string): Promise<Entry | undefined> {
    const known = this.#unlisted.get(id);
    if (known) return known;
    const model = await this.provider.findModel(id);
    if (!model) return undefined;
    if (this.#unlisted.size >= UNLISTED) this.#unlisted.clear();
    const entry = this.#entry(model);
    this.#unlisted.set(id, entry);
    return entry;
  }

  #entry(model: Model): Entry {
    if (model.features?.includes("live") && !overrides(this.provider, "live")) {
      throw new ModelError(`model ${model.id} has the feature 'live' but live() is not overridden`);
    }
    return new Entry(this.#prefix + model.id, model);
  }

  #indexed(models: readonly Model[]): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const model of models) {
      if (!model.id || entries.has(model.id)) {
        throw new ModelError(`model id ${JSON.stringify(model.id)} is empty or there twice`);
      }
      entries.set(model.id, this.#entry(model));
    }
    return entries;
  }

  #idOf(name: string): string {
    if (name.startsWith(this.#prefix)) return name.slice(this.#prefix.length);
    if (name.startsWith("providers/")) {
      throw new NotFoundError(`${name} is not a model of provider ${this.providerId}`, {
        reason: "MODEL_NOT_FOUND",
        hint: `its models begin with ${this.#prefix}`,
        metadata: { model: name, suggestions: "" },
      });
    }
    if (this.#entries.has(name)) return name;
    return name.startsWith(`${this.providerId}/`) ? name.slice(this.providerId.length + 1) : name;
  }

  #unknown(name: string, id: string): NotFoundError {
    const names = nearest(id, [...this.#entries.keys()]).map((found) => this.#prefix + found);
    let hint = names.length ? `did you mean ${names.join(" or ")}?` : "ListModels gives what there is";
    const settings = Object.keys((this.provider.settingsSchema.properties as object | undefined) ?? {});
    if (!this.#entries.size && settings.length) {
      hint = `the provider has no models yet; configure it first, its settings are ${settings.join(", ")}`;
    }
    return new NotFoundError(`there is no model ${name}`, {
      reason: "MODEL_NOT_FOUND",
      hint,
      metadata: { model: name, suggestions: names.join(",") },
    });
  }
}

/** Up to three of the names that share most pairs of letters with the one wanted. */
function nearest(wanted: string, names: string[]): string[] {
  const pairs = (text: string): Set<string> => new Set([...text].map((letter, at) => letter + (text[at + 1] ?? "")));
  const own = pairs(wanted.toLowerCase());
  const likeness = (name: string): number => {
    const other = pairs(name.toLowerCase());
    return (2 * [...own].filter((pair) => other.has(pair)).length) / (own.size + other.size || 1);
  };
  const rated = names.map((name) => [likeness(name), name] as const).filter(([rate]) => rate >= 0.4);
  return rated
    .sort((a, b) => b[0] - a[0])
    .slice(0, 3)
    .map(([, name]) => name);
}

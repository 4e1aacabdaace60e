/** Providers of the original system as providers of ours. */
import { readFileSync } from "node:fs";
import type { Call, Input } from "../call.js";
import { InvalidRequestError, PreconditionError } from "../errors.js";
import { Role } from "../generated/mediaconduit/v1/media.js";
import type { Yielded } from "../outputs.js";
import { Provider, type Model, type Schema, type Settings } from "../provider.js";
import { log } from "../host/logs.js";
import { isUser, textOf } from "../host/parts.js";
import { Text, type Facts } from "./assets.js";
import { cancelledBy } from "./cancelling.js";
import { discover, modelOf } from "./discovery.js";
import { AbstractDockerProvider, initialised } from "./docker.js";
import { translated } from "./failures.js";
import { assetOf, optionsOf } from "./options.js";
import { pieceOf, yieldedOf } from "./results.js";
import { Service, useService } from "./service.js";

type Original = any;
type OriginalClass = new (service?: Service) => Original;

/** Milliseconds that a service has to become healthy, and a provider to find its first models. */
const SERVICE_PATIENCE = 5_000;
const DISCOVERY_PATIENCE = 5_000;
const DISCOVERY_PAUSE = 100;

/** Where the broker leaves the manifest of an original, in the repository's copy. */
const MANIFEST = ".mediaconduit/manifest.json";

/** Makes a provider of what an entry exports; undefined for what is no provider of the original's. */
export async function adapt(exported: unknown, exports: Record<string, unknown>): Promise<Provider | undefined> {
  const found = isOriginal(exported) ? exported : Object.values(exports).find(isOriginal);
  if (!found) return undefined;
  const manifest = readManifest();
  const kind = found as OriginalClass;
  class Adapted extends OriginalProvider {
    static override displayName = String(manifest.name ?? kind.name);
  }
  return new Adapted(kind, manifest);
}

/** A provider of the original's: made when all that it needs is there. */
class OriginalProvider extends Provider {
  #original: Original;
  #listed: readonly Model[] = [];
  readonly #needsService: boolean;

  constructor(
    private readonly kind: OriginalClass,
    private readonly manifest: Facts,
  ) {
    super();
    const docker = kind.prototype instanceof AbstractDockerProvider;
    this.#needsService = docker || kind.length > 0 || Boolean(manifest.serviceUrl);
    this.settingsSchema = settingsOf(this.#needsService);
  }

  override async setup(): Promise<void> {
    if (!this.#needsService) await this.#make(undefined, {});
  }

  override async configure(settings: Settings): Promise<void> {
    await super.configure(settings);
    if (this.#needsService && !settings.service_url) {
      this.#original = undefined;
      return;
    }
    let service: Service | undefined;
    if (settings.service_url) {
      service = new Service(
        settings.service_url,
        settings.service_health ?? healthOf(this.manifest),
        nameOf(this.manifest),
      );
      await service.require(SERVICE_PATIENCE);
    }
    await this.#make(service, settings.config ?? {});
  }

  override async close(): Promise<void> {
    for (const name of ["dispose", "close", "cleanup"]) {
      if (typeof this.#original?.[name] === "function") return this.#original[name]();
    }
  }

  override async listModels({ refresh }: { refresh: boolean }): Promise<readonly Model[]> {
    if (!this.#original) return (this.#listed = []);
    if (refresh && typeof this.#original.refreshModels === "function") await this.#original.refreshModels();
    const found = await discover(this.#original, this.manifest);
    // The same list as long as it says the same: what is derived from it stays.
    if (JSON.stringify(found) !== JSON.stringify(this.#listed)) this.#listed = found;
    return this.#listed;
  }

  override async *transform(input: Input, call: Call): AsyncGenerator<Yielded> {
    try {
      yield* cancellable(this.#work(input, call), call.signal);
    } catch (error) {
      throw translated(error);
    }
  }

  async *#work(input: Input, call: Call): AsyncGenerator<Yielded> {
    const model = await modelOf(this.#original, call.model.id);
    if (!model)
      throw new PreconditionError(`the provider has no model ${call.model.id} now`, { hint: "list its models again" });
    const options = { ...(await optionsOf(call)), signal: call.signal };
    if (call.capability === "audio-to-text" && typeof model.apiClient?.transcribeAudio === "function") {
      yield* yieldedOf(await model.apiClient.transcribeAudio({ audioFilePath: await input.path(), ...options }));
      return;
    }
    const turns = spoken(call);
    const several = turns.length > 1 || Boolean(call.system);
    if (several && typeof model.transformConversation === "function") {
      yield* yieldedOf(await model.transformConversation(turns, options));
      return;
    }
    const given = await this.#input(input, call, several);
    if (typeof model.transformStream === "function") {
      for await (const piece of await model.transformStream(given, options)) yield pieceOf(piece);
      return;
    }
    yield* yieldedOf(await model.transform(given, options));
  }

  /** The input in the role that the capability begins with. */
  async #input(input: Input, call: Call, several: boolean): Promise<unknown> {
    if (call.capability.startsWith("text-")) {
      return Text.fromString(several ? asOneText(call) : call.text);
    }
    const kind = call.capability.split("-to-")[0]!;
    const own = call.inputs().find((part) => part.mediaType.startsWith(`${kind}/`)) ?? input;
    const asset = await assetOf(own);
    if (typeof asset === "string") throw InvalidRequestError.at(own.field, `is no ${kind}`);
    if (call.text && own !== input) asset.metadata.prompt = call.text;
    return asset;
  }

  async #make(service: Service | undefined, config: Facts): Promise<void> {
    if (service) {
      useService(service);
      const variable = `${nameOf(this.manifest)
        .replace(/[^A-Za-z0-9]+/g, "_")
        .toUpperCase()}_HOST_PORT`;
      process.env[variable] = String(service.port);
    }
    const original = new this.kind(service);
    await initialised(original);
    const address = service ? { baseUrl: service.url, serviceUrl: service.url } : {};
    if (typeof original.configure === "function" && (service || Object.keys(config).length)) {
      await original.configure({ ...address, ...config });
    }
    this.#original = original;
    await this.#firstModels();
  }

  /** Some look for their models in the background. */
  async #firstModels(): Promise<void> {
    const until = performance.now() + DISCOVERY_PATIENCE;
    while (!(await this.listModels({ refresh: false })).length && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, DISCOVERY_PAUSE));
    }
    if (!this.#listed.length) log("WARNING", "the provider knows no models yet");
  }
}

/** Runs a generator so that what it asks of the network ends with the signal. */
async function* cancellable(source: AsyncGenerator<Yielded>, signal: AbortSignal): AsyncGenerator<Yielded> {
  for (;;) {
    const { done, value } = await cancelledBy(signal, () => source.next());
    if (done) return;
    yield value;
  }
}

/** The turns as messages, a system message first. */
function spoken(call: Call): Facts[] {
  const messages = call.turns
    .filter((turn) => turn.role !== Role.SYSTEM)
    .map((turn) => ({
      role: isUser(turn.role) ? "user" : "assistant",
      content: turn.parts.map(textOf).filter(Boolean).join("\n"),
    }));
  return call.system ? [{ role: "system", content: call.system }, ...messages] : messages;
}

/** A conversation for models that take one text. */
function asOneText(call: Call): string {
  const messages = spoken(call);
  const said = messages.filter(({ role }) => role !== "system");
  if (said.length <= 1) return messages.map(({ content }) => content).join("\n\n");
  return messages
    .map(({ role, content }) => (role === "system" ? content : `${role === "user" ? "User" : "Assistant"}: ${content}`))
    .join("\n\n");
}

function isOriginal(value: unknown): value is OriginalClass {
  if (typeof value !== "function") return false;
  const methods = value.prototype as Facts | undefined;
  return Boolean(methods && (methods.getModel || methods.createModel || methods.getModelsForCapability));
}

function settingsOf(needsService: boolean): Schema {
  return {
    type: "object",
    properties: {
      service_url: {
        type: "string",
        pattern: "^https?://[^\\s]+$",
        description: `Where its service answers${needsService ? "; it has no models without" : ""}.`,
      },
      service_health: { type: "string", pattern: "^/", description: "Path of the service's health check." },
      config: { type: "object", description: "What its configure() is given beside the service's address." },
    },
    additionalProperties: false,
  };
}

function readManifest(): Facts {
  try {
    return JSON.parse(readFileSync(MANIFEST, "utf8")) as Facts;
  } catch {
    return {};
  }
}

function nameOf(manifest: Facts): string {
  return String(manifest.id ?? manifest.name ?? "service").replace(/-(docker|provider|service)$/g, "");
}

/** The path of the health check, as one of the forms a manifest may have. */
function healthOf(manifest: Facts): string {
  const stated = manifest.healthCheck ?? manifest.service?.healthCheck ?? {};
  if (typeof stated.endpoint === "string") return stated.endpoint;
  const path = typeof stated.url === "string" ? stated.url.replace("__PORT__", "80") : "";
  try {
    return path ? new URL(path).pathname : "";
  } catch {
    return "";
  }
}

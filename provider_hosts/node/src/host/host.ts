/** The state of a sidecar: its provider, whether it is ready, its calls. Knows nothing of gRPC. */
import { InvalidRequestError, MediaConduitError, UnavailableError, UnsupportedError } from "../errors.js";
import type { TransformRequest } from "../generated/mediaconduit/v1/transform.js";
import { overrides, type Provider, type Settings } from "../provider.js";
import { Catalog, ModelError, type Entry } from "./catalog.js";
import { checkRequest, inferCapability } from "./checks.js";
import { Calls } from "./concurrency.js";
import type { HostConfig } from "./config.js";
import { Credentials } from "./credentials.js";
import { Generations } from "./generations.js";
import { HostCall } from "./hostCall.js";
import { LiveCall } from "./liveCall.js";
import { log } from "./logs.js";
import type { CallFacts } from "./metadata.js";
import { within } from "./news.js";
import { Run } from "./run.js";
import { Checker } from "./schemas.js";

/** Where a sidecar is in its life. */
export type State = "LOADING" | "READY" | "DRAINING";

/** Runs one provider. */
export class Host {
  state: State = "LOADING";
  readonly catalog: Catalog;
  readonly calls: Calls;
  readonly generations = new Generations();
  readonly #setUp: Promise<void>;
  #isSetUp!: () => void;
  #configuring: Promise<unknown> = Promise.resolve();

  constructor(
    readonly provider: Provider,
    readonly config: HostConfig,
    readonly credentials = new Credentials(config.secrets),
  ) {
    this.catalog = new Catalog(provider, config.providerId);
    this.calls = new Calls(() => provider.maxConcurrency, config.stuckAfter);
    this.#setUp = new Promise((resolve) => {
      this.#isSetUp = resolve;
    });
  }

  // -- life

  /** Prepares the provider; READY when it resolves. What the provider throws is thrown. */
  async setup(): Promise<void> {
    await this.provider.setup();
    try {
      await this.catalog.list();
    } catch (error) {
      if (error instanceof ModelError) throw error;
      log("WARNING", "the provider could not list its models yet", error);
    }
    this.#isSetUp();
    if (this.state === "LOADING") this.state = "READY";
  }

  /**
   * Sets variables, checks settings as a whole and hands them to the provider; a failure leaves the old ones.
   * `settings` undefined = as they were; `secrets` are all variables that are to be set.
   */
  async configure(settings: Settings | undefined, secrets: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#setUp;
    const turn = this.#configuring.then(() => this.#configure(settings, secrets));
    this.#configuring = turn.catch(() => undefined);
    await turn;
  }

  async #configure(settings: Settings | undefined, secrets: Readonly<Record<string, string>>): Promise<void> {
    const before = this.provider.settings;
    if (settings) this.#checkSettings(settings);
    const had = this.credentials.put(secrets);
    if (!settings && sameEntries(had, secrets)) return;
    try {
      await this.provider.configure(settings ?? before);
    } catch (error) {
      const cleaned = error instanceof MediaConduitError ? this.credentials.clean(error) : error;
      this.provider.settings = before;
      this.credentials.put(had);
      throw cleaned;
    }
    this.catalog.forget();
  }

  #checkSettings(settings: Settings): void {
    const fields = new Checker(this.provider.settingsSchema).violations(settings, "settings");
    if (fields.length) throw new InvalidRequestError("the settings are not valid", { fields });
  }

  /** Lets running calls end for `grace` seconds, cancels the rest, and frees what the provider holds. */
  async finish(grace: number, cutShort?: AbortSignal): Promise<void> {
    this.state = "DRAINING";
    if (this.calls.active && grace > 0 && !(await within(this.calls.drained(), grace, cutShort))) {
      log("WARNING", `${this.calls.active} calls were still running and are cancelled`);
    }
    if (!(await within(this.#close(), this.config.closeGrace))) log("WARNING", "the provider did not close in time");
  }

  async #close(): Promise<void> {
    this.calls.cancelAll();
    if (!(await within(this.calls.drained(), this.config.closeGrace / 2))) {
      log("WARNING", `${this.calls.active} calls did not end when cancelled`);
    }
    try {
      await this.provider.close();
    } catch (error) {
      log("ERROR", "the provider could not be closed", error);
    }
    this.credentials.put({});
  }

  // -- calls

  /** Throws `UnavailableError` while loading and draining. */
  checkReady(): void {
    if (this.state === "READY") return;
    const draining = this.state === "DRAINING";
    throw new UnavailableError(draining ? "the provider is going away" : "the provider is still loading", {
      reason: draining ? "PROVIDER_DRAINING" : "PROVIDER_NOT_READY",
      hint: draining ? "send the call to another one" : "its health says when it is ready",
      metadata: { state: this.state },
      retryAfter: 1,
    });
  }

  /** Checks that the provider has a method of a service and is ready. */
  serving(method: keyof Provider & string, service: string): Provider {
    if (!overrides(this.provider, method)) {
      throw new UnsupportedError(`provider ${this.config.providerId} does not have this part of ${service}`, {
        hint: "Describe.services lists what it has",
        metadata: { provider: this.config.providerId, service },
      });
    }
    this.checkReady();
    this.credentials.require();
    return this.provider;
  }

  /** The call that a request means, checked. */
  async prepare(request: TransformRequest, facts: CallFacts, arriving: boolean): Promise<HostCall> {
    this.checkReady();
    if (!request.model && !request.capability) {
      throw InvalidRequestError.at("model", "no model is named", "ListModels gives what there is");
    }
    const [entry, capability] = await this.#choose(request);
    const live = arriving && (entry.model.features?.includes("live") ?? false);
    checkRequest(request, entry.model, live);
    if (arriving) return new LiveCall(request, entry, capability, facts);
    refuseStreams(request);
    return new HostCall(request, entry, capability, facts);
  }

  async #choose(request: TransformRequest): Promise<[Entry, string]> {
    const [entry, capability] = await this.catalog.choose(request.model, request.capability);
    if (request.capability || entry.model.capabilities.length < 2) return [entry, capability];
    return [entry, inferCapability(entry.model, request.turns)];
  }

  /** Begins a call. Throws `ExhaustedError` when every place is taken. */
  start(call: HostCall, request: TransformRequest, facts: CallFacts): Run {
    this.checkReady();
    this.credentials.require();
    this.calls.check();
    const live = call instanceof LiveCall && call.isLive;
    if (!live && !overrides(this.provider, "transform")) {
      throw new UnsupportedError(`${call.entry.name} only holds conversations`, {
        hint: "use TransformLive",
        metadata: { provider: this.config.providerId, service: "mediaconduit.v1.MediaProvider/Transform" },
      });
    }
    const { provider } = this;
    const produce = live ? () => provider.live(call) : () => provider.transform(call.mainInput(), call);
    const run = new Run(call, produce, facts, this.config.heartbeat, (error) => this.credentials.clean(error));
    run.provenance.parentGenerations.push(...request.parentGenerations);
    this.calls.start(run, () => this.generations.add(run));
    return run;
  }
}

function refuseStreams(request: TransformRequest): void {
  for (const [t, turn] of request.turns.entries()) {
    for (const [p, part] of turn.parts.entries()) {
      if (part.stream !== undefined) {
        const field = `turns[${t}].parts[${p}].stream`;
        throw InvalidRequestError.at(field, "chunks cannot follow here", "use TransformLive");
      }
    }
  }
}

function sameEntries(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

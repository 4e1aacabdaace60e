/**
 * What a sidecar answers before its provider is imported: who it is, and the Configure that brings the secrets.
 * Authors read keys when their module is imported, when their class is made, in `setup` or in calls; nothing of theirs
 * runs before the keys are there.
 */
import { UnavailableError } from "../errors.js";
import {
  DescribeResponse,
  type ConfigureRequest,
  type ConfigureResponse,
} from "../generated/mediaconduit/v1/provider.js";
import type { HostConfig } from "./config.js";
import type { Credentials } from "./credentials.js";
import { CONTRACT_REVISION } from "./rpc.js";
import type { MediaProvider } from "./servicer.js";

/** Holds the first Configure until the provider that is to take it is there. */
export class FirstConfigure implements MediaProvider {
  /** What the first Configure brought. */
  readonly secrets: Promise<Record<string, string>>;
  #brought!: (secrets: Record<string, string>) => void;
  readonly #successor: Promise<MediaProvider>;
  #handOver!: (successor: MediaProvider) => void;

  constructor(
    private readonly config: HostConfig,
    private readonly credentials: Credentials,
  ) {
    this.secrets = new Promise((resolve) => {
      this.#brought = resolve;
    });
    this.#successor = new Promise((resolve) => {
      this.#handOver = resolve;
    });
  }

  /** Calls that were held go on there. */
  handOver(successor: MediaProvider): void {
    this.#handOver(successor);
  }

  async describe(): Promise<DescribeResponse> {
    return DescribeResponse.fromPartial({
      providerId: this.config.providerId,
      version: this.config.version,
      instanceId: this.config.instanceId,
      contractRevision: CONTRACT_REVISION,
    });
  }

  async configure(request: ConfigureRequest): Promise<ConfigureResponse> {
    this.credentials.check(request.secrets);
    this.#brought({ ...request.secrets });
    return (await this.#successor).configure(request);
  }

  listModels = loading;
  getModel = loading;
  transform = loading;
  transformLive = loading;
  watchGenerations = loading;
}

async function loading(): Promise<never> {
  throw new UnavailableError("the provider waits for its secrets", {
    hint: "its broker brings them with Configure",
    metadata: { state: "LOADING" },
    retryAfter: 1,
  });
}

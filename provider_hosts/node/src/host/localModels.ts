/** `mediaconduit.v1.LocalModels`, for providers that override the methods behind it. */
import type { ServerWritableStream } from "@grpc/grpc-js";
import { InvalidRequestError, type MediaConduitError } from "../errors.js";
import {
  PullModelResponse,
  type DeleteModelRequest,
  type DeleteModelResponse,
  type PullModelRequest,
} from "../generated/mediaconduit/v1/local_models.js";
import type { PullProgress } from "../provider.js";
import type { Host } from "./host.js";
import { News } from "./news.js";
import { typed, type Answering } from "./rpc.js";

export const LOCAL_MODELS = "mediaconduit.v1.LocalModels";

/** One fetch and those who watch it. Only how far it is now counts: who reads slowly skips steps. */
class Pull {
  latest: PullProgress | undefined;
  steps = 0;
  ended = false;
  error: MediaConduitError | undefined;
  watchers = 0;
  readonly news = new News();
  readonly cancelled = new AbortController();
}

/** Fetches and removes models. Several callers share one fetch; it is cancelled when the last of them has left. */
export class LocalModelsServicer {
  readonly #prefix: string;
  readonly #pulls = new Map<string, Pull>();

  constructor(private readonly host: Host) {
    this.#prefix = `providers/${host.config.providerId}/models/`;
  }

  /** Fetches a model; streams how far. */
  async pullModel(call: ServerWritableStream<PullModelRequest, Buffer>, answering: Answering): Promise<void> {
    this.host.serving("pullModel", LOCAL_MODELS);
    const id = this.#idOf(call.request.name);
    const pull = this.#pulls.get(id) ?? this.#begin(id);
    const left = (): void => pull.news.tell();
    answering.gone.addEventListener("abort", left);
    pull.watchers += 1;
    try {
      for (let seen = 0; !answering.gone.aborted && (!pull.ended || seen < pull.steps);) {
        if (seen === pull.steps) await pull.news.next();
        else {
          seen = pull.steps;
          const message = PullModelResponse.encode(PullModelResponse.fromPartial(pull.latest ?? {})).finish();
          if (!(await answering.send(Buffer.from(message)))) break;
        }
      }
    } finally {
      answering.gone.removeEventListener("abort", left);
      pull.watchers -= 1;
      if (!pull.watchers && !pull.ended) {
        this.#pulls.delete(id);
        pull.cancelled.abort();
      }
    }
    if (pull.error) throw pull.error;
  }

  /** Removes a model from disk. */
  async deleteModel(request: DeleteModelRequest): Promise<DeleteModelResponse> {
    const provider = this.host.serving("deleteModel", LOCAL_MODELS);
    await provider.deleteModel(this.#idOf(request.name));
    this.host.catalog.forget();
    return {};
  }

  /** Cancels every fetch. */
  close(): void {
    for (const pull of this.#pulls.values()) pull.cancelled.abort();
  }

  #begin(id: string): Pull {
    const pull = new Pull();
    this.#pulls.set(id, pull);
    void this.#run(id, pull);
    return pull;
  }

  async #run(id: string, pull: Pull): Promise<void> {
    try {
      for await (const progress of this.host.provider.pullModel(id, { signal: pull.cancelled.signal })) {
        if (pull.cancelled.signal.aborted) break;
        pull.latest = progress;
        pull.steps += 1;
        pull.news.tell();
      }
      this.host.catalog.forget();
    } catch (error) {
      if (!pull.cancelled.signal.aborted) pull.error = typed(error, "PullModel");
    }
    if (this.#pulls.get(id) === pull) this.#pulls.delete(id);
    pull.ended = true;
    pull.news.tell();
  }

  #idOf(name: string): string {
    if (name.startsWith(this.#prefix) && name !== this.#prefix) return name.slice(this.#prefix.length);
    throw InvalidRequestError.at("name", `must begin with ${this.#prefix}`);
  }
}

/** `mediaconduit.v1.MediaProvider`, served by a `Host`. */
import type { ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";
import { InvalidRequestError } from "../errors.js";
import {
  DescribeResponse,
  WatchGenerationsResponse,
  type ConfigureRequest,
  type ConfigureResponse,
  type GetModelRequest,
  type GetModelResponse,
  type ListModelsRequest,
  type ListModelsResponse,
  type WatchGenerationsRequest,
} from "../generated/mediaconduit/v1/provider.js";
import type { TransformLiveRequest, TransformRequest } from "../generated/mediaconduit/v1/transform.js";
import type { Provider } from "../provider.js";
import type { Host } from "./host.js";
import { LiveCall } from "./liveCall.js";
import { readFacts } from "./metadata.js";
import { News, within } from "./news.js";
import { CONTRACT_REVISION, pageOf, typed, type Answering } from "./rpc.js";
import type { Run } from "./run.js";

/** The methods of the contract, as the server calls them. */
export interface MediaProvider {
  describe(): Promise<DescribeResponse>;
  configure(request: ConfigureRequest): Promise<ConfigureResponse>;
  listModels(request: ListModelsRequest): Promise<ListModelsResponse>;
  getModel(request: GetModelRequest): Promise<GetModelResponse>;
  transform(call: ServerWritableStream<TransformRequest, Buffer>, answering: Answering): Promise<void>;
  transformLive(call: ServerDuplexStream<TransformLiveRequest, Buffer>, answering: Answering): Promise<void>;
  watchGenerations(call: ServerWritableStream<WatchGenerationsRequest, Buffer>, answering: Answering): Promise<void>;
}

/** Translates calls of the contract; the host does the work. */
export class MediaProviderServicer implements MediaProvider {
  #open = 0;
  readonly #closed = new News();

  constructor(
    private readonly host: Host,
    private readonly services: readonly string[],
  ) {}

  /** Resolves when the end of every call is on its way to its caller, or after so many seconds. */
  async told(seconds: number): Promise<void> {
    const all = async (): Promise<void> => {
      while (this.#open) await this.#closed.next();
    };
    await within(all(), seconds);
  }

  async describe(): Promise<DescribeResponse> {
    const { config, provider, catalog, calls, state } = this.host;
    const kind = provider.constructor as typeof Provider;
    return DescribeResponse.fromPartial({
      providerId: config.providerId,
      displayName: kind.displayName || kind.name,
      version: config.version,
      instanceId: config.instanceId,
      contractRevision: CONTRACT_REVISION,
      capabilities: catalog.capabilities,
      services: [...this.services],
      settingsSchema: JSON.stringify(provider.settingsSchema),
      maxConcurrency: provider.maxConcurrency,
      activeCalls: calls.active,
      stuckCalls: calls.stuck,
      loading: state === "LOADING" ? provider.loadingProgress : undefined,
    });
  }

  async configure(request: ConfigureRequest): Promise<ConfigureResponse> {
    await this.host.configure(request.settings, request.secrets);
    return {};
  }

  async listModels(request: ListModelsRequest): Promise<ListModelsResponse> {
    this.host.checkReady();
    const entries = await this.host.catalog.list(request.refresh);
    const { capability } = request;
    const wanted = entries.filter((entry) => !capability || entry.model.capabilities.includes(capability));
    const { page, next } = pageOf(wanted, request.pageSize, request.pageToken);
    const provisional = this.host.provider.modelsProvisional;
    const refreshTime = provisional ? undefined : this.host.catalog.refreshTime;
    return { models: page.map((entry) => entry.toMessage()), nextPageToken: next, refreshTime, provisional };
  }

  async getModel(request: GetModelRequest): Promise<GetModelResponse> {
    this.host.checkReady();
    return { model: (await this.host.catalog.find(request.name)).toMessage(true) };
  }

  async transform(call: ServerWritableStream<TransformRequest, Buffer>, answering: Answering): Promise<void> {
    const { request } = call;
    await this.#counted(async () => {
      const facts = readFacts(answering.metadata, answering.deadline, request.requestId);
      const made = await this.host.prepare(request, facts, false);
      if (answering.gone.aborted) return;
      await writeAll(this.host.start(made, request, facts), answering);
    });
  }

  async transformLive(call: ServerDuplexStream<TransformLiveRequest, Buffer>, answering: Answering): Promise<void> {
    await this.#counted(async () => {
      // Not destroyed at the end of the requests: the responses still go out on it.
      const pieces: AsyncIterator<TransformLiveRequest> = call.iterator({ destroyOnReturn: false });
      const first = await pieces.next();
      const request: TransformRequest | undefined = first.done ? undefined : first.value.start;
      if (!request) throw InvalidRequestError.at("start", "must be the first piece");
      const facts = readFacts(answering.metadata, answering.deadline, request.requestId);
      const made = await this.host.prepare(request, facts, true);
      if (answering.gone.aborted || !(made instanceof LiveCall)) return;
      const run = this.host.start(made, request, facts);
      // It ends with the call: the stream of pieces is closed when the call is.
      void made.receive(pieces).catch((error: unknown) => {
        if (answering.gone.aborted) run.leave();
        else run.leave(typed(error, "TransformLive"));
      });
      await writeAll(run, answering);
    });
  }

  async watchGenerations(
    call: ServerWritableStream<WatchGenerationsRequest, Buffer>,
    answering: Answering,
  ): Promise<void> {
    for await (const generations of this.host.generations.watch(call.request.after, answering.gone)) {
      const message = WatchGenerationsResponse.encode({ generations }).finish();
      if (!(await answering.send(Buffer.from(message)))) return;
    }
  }

  async #counted(work: () => Promise<void>): Promise<void> {
    this.#open += 1;
    try {
      await work();
    } finally {
      // What ends the call is written by whoever called us, right after this.
      setImmediate(() => {
        this.#open -= 1;
        this.#closed.tell();
      });
    }
  }
}

/** Writes one message at a time. However this is left, the author's code is stopped if it still runs. */
async function writeAll(run: Run, answering: Answering): Promise<void> {
  const left = (): void => run.leave();
  answering.gone.addEventListener("abort", left);
  try {
    for (let message = await run.take(); message; message = await run.take()) {
      if (!(await answering.send(message))) break;
    }
  } finally {
    answering.gone.removeEventListener("abort", left);
    run.leave();
  }
}

/** The gRPC server of a sidecar: the contract, health, reflection, on one address. */
import { unlinkSync } from "node:fs";
import {
  Server as GrpcServer,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { HealthService } from "../generated/grpc/health/v1/health.js";
import { ServerReflectionService } from "../generated/grpc/reflection/v1/reflection.js";
import { LocalModelsService } from "../generated/mediaconduit/v1/local_models.js";
import { MediaProviderService } from "../generated/mediaconduit/v1/provider.js";
import { VoicesService } from "../generated/mediaconduit/v1/voices.js";
import { UnavailableError, type MediaConduitError } from "../errors.js";
import { overrides } from "../provider.js";
import type { HostConfig } from "./config.js";
import type { FirstConfigure } from "./firstConfigure.js";
import { Health } from "./health.js";
import type { Host } from "./host.js";
import { LOCAL_MODELS, LocalModelsServicer } from "./localModels.js";
import { MESSAGE_BYTES } from "./mailbox.js";
import { Reflection } from "./reflection.js";
import { streaming, unary } from "./rpc.js";
import { MediaProviderServicer, type MediaProvider } from "./servicer.js";
import { VOICES, VoicesServicer } from "./voices.js";

const SERVICE = "mediaconduit.v1.MediaProvider";
const REFLECTION = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
/** Milliseconds that connections stay open for callers to read how their calls ended. */
const FAREWELL = 100;
const LIMIT = MESSAGE_BYTES + 64 * 1024;
const MESSAGES_IN_FLIGHT = 256 * 1024;

/** The address of a sidecar. `start` listens, `serve` says who answers, `ready` and `draining` what health says. */
export class Server {
  readonly #health = new Health();
  readonly #server: GrpcServer;
  #provider: MediaProvider | undefined;
  #voices: VoicesServicer | undefined;
  #localModels: LocalModelsServicer | undefined;
  #clean: (error: MediaConduitError) => MediaConduitError = (error) => error;
  #services: string[] = [];

  constructor(
    private readonly config: HostConfig,
    folder: string,
  ) {
    this.#server = new GrpcServer({
      "grpc.max_receive_message_length": LIMIT,
      "grpc.max_send_message_length": LIMIT,
      "grpc.so_reuseport": 0,
      "grpc-node.flow_control_window": MESSAGES_IN_FLIGHT,
    });
    this.#health.set(SERVICE, false);
    this.#add(MediaProviderService, this.#mediaProvider(), ["transform", "transformLive", "watchGenerations"]);
    this.#add(VoicesService, this.#voiceMethods());
    this.#add(LocalModelsService, this.#localModelMethods(), ["pullModel"]);
    this.#add(HealthService, this.#health.handlers);
    const listed = (): string[] => [SERVICE, ...this.#services, "grpc.health.v1.Health", ...REFLECTION];
    const reflection = new Reflection(listed, folder);
    this.#add(ServerReflectionService, reflection.handlers);
    const { serverReflectionInfo } = ServerReflectionService;
    const older = { ...serverReflectionInfo, path: serverReflectionInfo.path.replace(".v1.", ".v1alpha.") };
    this.#add({ serverReflectionInfo: older }, reflection.handlers);
  }

  /** Until there is a host. */
  serveFirst(servicer: FirstConfigure): void {
    this.#provider = servicer;
  }

  /** Everything the host has, in place of what was served before. */
  serve(host: Host): MediaProviderServicer {
    const { provider } = host;
    this.#services = [];
    if (overrides(provider, "listVoices")) this.#services.push(VOICES);
    if (overrides(provider, "pullModel")) this.#services.push(LOCAL_MODELS);
    this.#clean = (error) => host.credentials.clean(error);
    this.#voices = new VoicesServicer(host);
    this.#localModels = new LocalModelsServicer(host);
    const servicer = new MediaProviderServicer(host, this.#services);
    this.#provider = servicer;
    return servicer;
  }

  /** Listens; gives the TCP port, or 1 on a Unix socket. Rejects when the address cannot be had. */
  async start(): Promise<number> {
    const path = socketOf(this.config.listen);
    if (path) remove(path);
    // Only our own user may connect.
    const before = path ? process.umask(0o077) : undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#server.bindAsync(path ? `unix:${path}` : this.config.listen, this.#credentials(), (error, port) => {
          if (error) reject(new Error(`cannot listen on ${this.config.listen}: ${error.message}`));
          else resolve(port);
        });
      });
    } finally {
      if (before !== undefined) process.umask(before);
    }
  }

  /** Health says that calls are taken. */
  ready(): void {
    this.#health.set(SERVICE, true);
  }

  /** Health says that no more calls are taken. */
  draining(): void {
    this.#health.set(SERVICE, false);
  }

  /** Closes the address and every connection, once calls that have ended could say so. */
  async stop(): Promise<void> {
    this.#localModels?.close();
    if (this.#provider instanceof MediaProviderServicer) await this.#provider.told(this.config.closeGrace);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FAREWELL);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#server.forceShutdown();
    const path = socketOf(this.config.listen);
    if (path) remove(path);
  }

  #credentials(): ServerCredentials {
    const { tls } = this.config;
    if (!tls) return ServerCredentials.createInsecure();
    return ServerCredentials.createSsl(tls.peer, [{ private_key: tls.key, cert_chain: tls.certificate }], true);
  }

  /** Adds a service. Responses of the methods named `raw` come serialised already. */
  #add(definition: object, handlers: object, raw: readonly string[] = []): void {
    const methods = Object.entries(definition as ServiceDefinition).map(([name, method]) => [
      name,
      raw.includes(name) ? { ...method, responseSerialize: (message: Buffer) => message } : method,
    ]);
    this.#server.addService(Object.fromEntries(methods), handlers as UntypedServiceImplementation);
  }

  #mediaProvider(): object {
    const clean = (): ((error: MediaConduitError) => MediaConduitError) => this.#clean;
    const to = (): MediaProvider => this.#provider!;
    return {
      describe: unary("Describe", clean, () => to().describe()),
      configure: unary("Configure", clean, (request: any) => to().configure(request)),
      listModels: unary("ListModels", clean, (request: any) => to().listModels(request)),
      getModel: unary("GetModel", clean, (request: any) => to().getModel(request)),
      transform: streaming("Transform", clean, (call: any, answering) => to().transform(call, answering)),
      transformLive: streaming("TransformLive", clean, (call: any, answering) => to().transformLive(call, answering)),
      watchGenerations: streaming("WatchGenerations", clean, (call: any, answering) =>
        to().watchGenerations(call, answering),
      ),
    };
  }

  #localModelMethods(): object {
    const clean = (): ((error: MediaConduitError) => MediaConduitError) => this.#clean;
    const to = (): LocalModelsServicer => loaded(this.#localModels);
    return {
      pullModel: streaming("PullModel", clean, async (call: any, answering) => to().pullModel(call, answering)),
      deleteModel: unary("DeleteModel", clean, async (request: any) => to().deleteModel(request)),
    };
  }

  #voiceMethods(): object {
    const clean = (): ((error: MediaConduitError) => MediaConduitError) => this.#clean;
    const to = (): VoicesServicer => loaded(this.#voices);
    return {
      listVoices: unary("ListVoices", clean, async (request: any) => to().listVoices(request)),
      createVoice: unary("CreateVoice", clean, async (request: any) => to().createVoice(request)),
      deleteVoice: unary("DeleteVoice", clean, async (request: any) => to().deleteVoice(request)),
    };
  }
}

/** A part of the provider, which answers nothing before it is loaded. */
function loaded<T>(part: T | undefined): T {
  if (part) return part;
  throw new UnavailableError("the provider is not loaded yet", { metadata: { state: "LOADING" }, retryAfter: 1 });
}

function socketOf(address: string): string {
  return address.startsWith("unix:") ? address.slice(5).replace(/^\/\//, "") : "";
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/**
 * For tests of providers: a real server on a Unix socket and a real client.
 *
 *     const served = await serve(new Shout(), { settings: { greeting: "hi" } });
 *     const result = await served.model("default").transform("hello");
 *     await served.close();
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials, makeGenericClientConstructor, Metadata, type Client, type ServiceError } from "@grpc/grpc-js";
import { CODES, InternalError, MediaConduitError, type FieldViolation, type Reason } from "./errors.js";
import { BadRequest, ErrorInfo } from "./generated/google/rpc/error_details.js";
import { Status } from "./generated/google/rpc/status.js";
import type {
  Completed,
  OutputStarted,
  TransformEvent,
  TransformResponse,
} from "./generated/mediaconduit/v1/events.js";
import { Role, type Part } from "./generated/mediaconduit/v1/media.js";
import type { TransformOptions } from "./generated/mediaconduit/v1/options.js";
import { MediaProviderService } from "./generated/mediaconduit/v1/provider.js";
import { TransformRequest } from "./generated/mediaconduit/v1/transform.js";
import { DEFAULTS } from "./host/config.js";
import { Host } from "./host/host.js";
import { Server } from "./host/server.js";
import type { DeepPartial } from "./outputs.js";
import type { Provider, Settings } from "./provider.js";

/** How a call is to be made. */
export interface CallOptions {
  capability?: string;
  options?: DeepPartial<TransformOptions>;
  /** Further turns before the input, a system turn say. */
  turns?: DeepPartial<TransformRequest>["turns"];
  /** Seconds. */
  timeout?: number;
  signal?: AbortSignal;
}

/** An output with all that came of it. */
export interface WholeOutput {
  started: OutputStarted;
  text: string;
  data: Buffer;
  /** What came within its completion. */
  part: Part | undefined;
}

/** What a call came to. */
export interface Result {
  /** Of all text outputs. */
  text: string;
  /** Of all data outputs. */
  data: Buffer;
  outputs: WholeOutput[];
  completed: Completed;
  events: TransformEvent[];
}

/** What goes in: a text, bytes of a media type, or parts. */
export type Given = string | { data: Uint8Array; mediaType: string } | DeepPartial<Part>[];

/** A provider that is being served. */
export class Served {
  constructor(
    /** Its address, for other clients. */
    readonly target: string,
    readonly providerId: string,
    private readonly client: Client,
    private readonly stop: () => Promise<void>,
  ) {}

  /** A model of the provider, by its bare id. */
  model(id: string): ServedModel {
    return new ServedModel(this.client, `providers/${this.providerId}/models/${id}`);
  }

  /** Ends its calls and closes it. */
  async close(): Promise<void> {
    this.client.close();
    await this.stop();
  }
}

/** A model, as its callers see it. */
export class ServedModel {
  constructor(
    private readonly client: Client,
    readonly name: string,
  ) {}

  /** Calls it and gathers what comes. Rejects with the typed error of the call. */
  async transform(given: Given, options: CallOptions = {}): Promise<Result> {
    const events: TransformEvent[] = [];
    const outputs = new Map<number, WholeOutput>();
    let completed: Completed | undefined;
    for await (const event of this.stream(given, options)) {
      events.push(event);
      const { outputStarted, outputDelta, outputCompleted } = event;
      if (outputStarted)
        outputs.set(outputStarted.index, { started: outputStarted, text: "", data: Buffer.alloc(0), part: undefined });
      const output = outputs.get(outputDelta?.index ?? outputCompleted?.index ?? -1);
      if (output && outputDelta?.text) output.text += outputDelta.text;
      if (output && outputDelta?.data) output.data = Buffer.concat([output.data, outputDelta.data]);
      if (output && outputCompleted) output.part = outputCompleted.part;
      completed ??= event.completed;
    }
    if (!completed) throw new InternalError("the call ended without a completed event");
    const all = [...outputs.values()];
    return {
      text: all.map((output) => output.text).join(""),
      data: Buffer.concat(all.map((output) => output.data)),
      outputs: all,
      completed,
      events,
    };
  }

  /** Calls it and gives events as they come. Leaving the loop cancels the call. */
  async *stream(
    given: Given,
    { capability, options, turns, timeout, signal }: CallOptions = {},
  ): AsyncGenerator<TransformEvent> {
    const request = TransformRequest.fromPartial({
      model: this.name,
      capability,
      options,
      turns: [...(turns ?? []), { role: Role.USER, parts: partsOf(given) }],
    });
    const { path, requestSerialize, responseDeserialize } = MediaProviderService.transform;
    const deadline = timeout === undefined ? undefined : Date.now() + timeout * 1000;
    const call = this.client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      new Metadata(),
      { deadline },
    );
    const cancel = (): void => call.cancel();
    signal?.addEventListener("abort", cancel);
    try {
      for await (const response of call as AsyncIterable<TransformResponse>) yield* response.events;
    } catch (error) {
      throw typedError(error as ServiceError);
    } finally {
      signal?.removeEventListener("abort", cancel);
      call.cancel();
    }
  }
}

/** Serves a provider until `close`. */
export async function serve(
  provider: Provider,
  { providerId = "test", settings }: { providerId?: string; settings?: Settings } = {},
): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), "mediaconduit-"));
  const target = `unix:${join(folder, "s")}`;
  const config = { ...DEFAULTS, providerId, listen: target };
  const host = new Host(provider, config);
  const server = new Server(config, __dirname);
  server.serve(host);
  await server.start();
  const stop = async (): Promise<void> => {
    server.draining();
    await host.finish(0);
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await host.setup();
    server.ready();
    if (settings) await host.configure(settings);
  } catch (error) {
    await stop();
    throw error;
  }
  const Connected = makeGenericClientConstructor({}, "");
  const client = new Connected(target, credentials.createInsecure(), { "grpc.default_authority": "localhost" });
  return new Served(target, providerId, client, stop);
}

function partsOf(given: Given): DeepPartial<Part>[] {
  if (typeof given === "string") return [{ text: given }];
  if (Array.isArray(given)) return given;
  return [{ data: Buffer.from(given.data), mediaType: given.mediaType }];
}

/** The typed error behind a failed call. */
function typedError(error: ServiceError): Error {
  const [packed] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!Buffer.isBuffer(packed)) return error;
  const { details, message } = Status.decode(packed);
  const of = (name: string): Buffer | undefined =>
    details.find(({ typeUrl }) => typeUrl.endsWith(`/google.rpc.${name}`))?.value;
  const info = ErrorInfo.decode(of("ErrorInfo") ?? Buffer.alloc(0));
  const fields: FieldViolation[] = BadRequest.decode(of("BadRequest") ?? Buffer.alloc(0)).fieldViolations;
  const reason = info.reason in CODES ? (info.reason as Reason) : "UNSPECIFIED";
  const { hint = "", ...metadata } = info.metadata;
  return new MediaConduitError(message, { reason, hint, metadata, fields });
}

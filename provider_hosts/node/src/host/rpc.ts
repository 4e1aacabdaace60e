/** The edge between gRPC and the host: whatever goes wrong leaves as a typed error and nothing else. */
import type { Metadata, sendUnaryData, ServerDuplexStream, ServerUnaryCall, ServerWritableStream } from "@grpc/grpc-js";
import { InternalError, InvalidRequestError, MediaConduitError } from "../errors.js";
import { log } from "./logs.js";
import { toServerError } from "./status.js";

/** Revision of the contract this host was built with. */
export const CONTRACT_REVISION = 1;
const PAGE = 100;

type Clean = (error: MediaConduitError) => MediaConduitError;
type Streaming<Q> = ServerWritableStream<Q, Buffer> | ServerDuplexStream<Q, Buffer>;

/** What of a call's transport matters to its handler. */
export interface Answering {
  readonly metadata: Metadata;
  readonly deadline: Date | number;
  /** Aborted when nobody reads any more. */
  readonly gone: AbortSignal;
  /** Sends a serialised message once the one before is on its way. False when nobody reads any more. */
  send(message: Buffer): Promise<boolean>;
}

/** A handler of one request and one response. */
export function unary<Q, R>(name: string, clean: () => Clean, handler: (request: Q) => Promise<R>) {
  return (call: ServerUnaryCall<Q, R>, callback: sendUnaryData<R>): void => {
    handler(call.request).then(
      (response) => callback(null, response),
      (error: unknown) => callback(toServerError(clean()(typed(error, name)))),
    );
  };
}

/** A handler that streams serialised responses. */
export function streaming<Q, C extends Streaming<Q>>(
  name: string,
  clean: () => Clean,
  handler: (call: C, answering: Answering) => Promise<void>,
) {
  return (call: C): void => {
    const gone = new AbortController();
    call.on("cancelled", () => gone.abort());
    call.on("error", () => gone.abort());
    handler(call, answeringOf(call, gone.signal)).then(
      () => call.end(),
      (error: unknown) => {
        if (!gone.signal.aborted) call.emit("error", toServerError(clean()(typed(error, name))));
      },
    );
  };
}

/** A page and the token of the next one. Throws `InvalidRequestError` for a token nobody gave. */
export function pageOf<T>(items: readonly T[], size: number, token: string): { page: T[]; next: string } {
  if (token && !/^\d{1,9}$/.test(token)) throw InvalidRequestError.at("page_token", "is not one that was given");
  const first = Number(token || 0);
  const end = first + (size > 0 ? size : PAGE);
  return { page: items.slice(first, end), next: end < items.length ? String(end) : "" };
}

/** The error as one of ours; of anything else only an error id leaves the process, the rest goes to the logs. */
export function typed(error: unknown, where: string): MediaConduitError {
  if (error instanceof MediaConduitError) return error;
  const internal = InternalError.unexpected();
  log("ERROR", `${where}: error id ${internal.metadata.error_id}`, error);
  return internal;
}

function answeringOf<Q>(call: Streaming<Q>, gone: AbortSignal): Answering {
  let wake: (sent: boolean) => void = () => undefined;
  gone.addEventListener("abort", () => wake(false));
  return {
    metadata: call.metadata,
    deadline: call.getDeadline(),
    gone,
    send: (message) =>
      new Promise((resolve) => {
        if (gone.aborted || call.cancelled) return resolve(false);
        wake = resolve;
        call.write(message, (error: unknown) => resolve(!error));
      }),
  };
}

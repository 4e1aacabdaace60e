/** `grpc.health.v1`: service "" is live, service "mediaconduit.v1.MediaProvider" takes calls. */
import { Metadata, status, type sendUnaryData, type ServerUnaryCall, type ServerWritableStream } from "@grpc/grpc-js";
import {
  HealthCheckResponse_ServingStatus as Serving,
  type HealthCheckRequest,
  type HealthCheckResponse,
} from "../generated/grpc/health/v1/health.js";

type Watch = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/** Answers for services whose status is `set`. */
export class Health {
  readonly #status = new Map<string, Serving>([["", Serving.SERVING]]);
  readonly #watching = new Map<Watch, string>();

  /** Says whether a service takes calls. */
  set(service: string, serving: boolean): void {
    this.#status.set(service, serving ? Serving.SERVING : Serving.NOT_SERVING);
    for (const [watch, watched] of this.#watching) if (watched === service) this.#tell(watch, service);
  }

  /** What the server registers. */
  readonly handlers = {
    check: (
      call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
      done: sendUnaryData<HealthCheckResponse>,
    ) => {
      const found = this.#status.get(call.request.service);
      if (found !== undefined) return done(null, { status: found });
      done({ code: status.NOT_FOUND, details: "there is no such service", metadata: new Metadata() });
    },
    watch: (call: Watch) => {
      const { service } = call.request;
      this.#watching.set(call, service);
      const gone = (): void => void this.#watching.delete(call);
      call.on("cancelled", gone);
      call.on("error", gone);
      this.#tell(call, service);
    },
  };

  #tell(watch: Watch, service: string): void {
    watch.write({ status: this.#status.get(service) ?? Serving.SERVICE_UNKNOWN });
  }
}

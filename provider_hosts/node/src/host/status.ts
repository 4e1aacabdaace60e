/** From typed errors to `google.rpc.Status`: the only place that knows both. */
import { Metadata, type ServerErrorResponse } from "@grpc/grpc-js";
import { Any } from "../generated/google/protobuf/any.js";
import { BadRequest, ErrorInfo, RetryInfo } from "../generated/google/rpc/error_details.js";
import { Status } from "../generated/google/rpc/status.js";
import { Usage } from "../generated/mediaconduit/v1/events.js";
import type { FieldViolation, MediaConduitError } from "../errors.js";

const DOMAIN = "mediaconduit";
/** Bytes of details a status may carry; past 8 KiB gRPC may drop the error with them. */
const DETAILS_LIMIT = 4096;

/** Packs an error: ErrorInfo first, then what fits. */
export function toStatus(error: MediaConduitError): Status {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(error.metadata)) metadata[name] = cut(value, 2048);
  if (error.hint) metadata.hint = cut(error.hint, 512);
  const status = Status.fromPartial({ code: error.code, message: cut(error.message, 1024), details: [] });
  attach(status, "google.rpc.ErrorInfo", ErrorInfo.encode({ reason: error.reason, domain: DOMAIN, metadata }).finish());
  if (error.retryAfter !== undefined) {
    attach(status, "google.rpc.RetryInfo", RetryInfo.encode({ retryDelay: duration(error.retryAfter) }).finish());
  }
  if (error.fields.length) attach(status, "google.rpc.BadRequest", badRequest(error.fields));
  if (error.usage) attach(status, "mediaconduit.v1.Usage", Usage.encode(Usage.fromPartial(error.usage)).finish());
  return status;
}

/** The error as grpc-js ends a call with it. */
export function toServerError(error: MediaConduitError): ServerErrorResponse {
  const status = toStatus(error);
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(Status.encode(status).finish()));
  return { name: error.name, code: status.code, details: status.message, message: status.message, metadata };
}

/** Seconds as a Duration. */
export function duration(seconds: number): { seconds: number; nanos: number } {
  const whole = Math.floor(seconds);
  return { seconds: whole, nanos: Math.min(Math.round((seconds - whole) * 1e9), 999_999_999) };
}

function attach(status: Status, kind: string, value: Uint8Array): void {
  const packed: Any = { typeUrl: `type.googleapis.com/${kind}`, value: Buffer.from(value) };
  const size = Status.encode(status).finish().length + Any.encode(packed).finish().length;
  if (size <= DETAILS_LIMIT) status.details.push(packed);
}

function badRequest(fields: readonly FieldViolation[]): Uint8Array {
  const kept: FieldViolation[] = [];
  let budget = DETAILS_LIMIT / 2;
  for (const { field, description } of fields) {
    budget -= field.length + description.length + 16;
    if (budget < 0) break;
    kept.push({ field, description });
  }
  return BadRequest.encode(BadRequest.fromPartial({ fieldViolations: kept })).finish();
}

function cut(text: string, limit: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= limit) return text;
  return `${encoded
    .subarray(0, limit - 3)
    .toString("utf8")
    .replace(/�+$/, "")}…`;
}

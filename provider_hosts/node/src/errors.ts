/**
 * Typed errors: one closed list of reasons, shared by clients, provider hosts and brokers in every language.
 *
 *     MediaConduitError
 *     ├── InvalidRequestError    the request is wrong; sending it again will not help
 *     ├── NotFoundError          a model or resource does not exist
 *     ├── PreconditionError      something must be changed first: a key, a setting
 *     ├── AccessError            the caller is unknown or not allowed
 *     ├── ExhaustedError         too fast, too much, or too busy
 *     ├── UnavailableError       not there now; another try may succeed
 *     ├── CallTimeoutError       a deadline passed
 *     ├── CallCancelledError     the caller left
 *     ├── UnsupportedError       an optional service the server does not have
 *     └── InternalError          our fault or the vendor's; the text stays in the logs
 */
import { randomUUID } from "node:crypto";

/** Reasons with the gRPC code each comes with. What they mean and carry: mediaconduit/v1/errors.proto. */
export const CODES = {
  UNSPECIFIED: 2,
  MODEL_NOT_FOUND: 5,
  PROVIDER_NOT_FOUND: 5,
  CAPABILITY_UNSUPPORTED: 9,
  INPUT_INVALID: 3,
  INPUT_TOO_LARGE: 3,
  CREDENTIALS_MISSING: 9,
  CREDENTIALS_REJECTED: 9,
  NOT_ALLOWED: 7,
  RATE_LIMITED: 8,
  QUOTA_EXCEEDED: 8,
  OVERLOADED: 8,
  CONTENT_REFUSED: 3,
  CONTEXT_TOO_LONG: 3,
  VENDOR_UNAVAILABLE: 14,
  VENDOR_PROTOCOL: 13,
  PROVIDER_NOT_READY: 14,
  PROVIDER_CRASHED: 14,
  PROVIDER_DRAINING: 14,
  WRONG_INSTANCE: 9,
  SOURCE_NOT_TRUSTED: 9,
  BUILD_FAILED: 9,
  INTERNAL: 13,
  CALLER_UNKNOWN: 16,
  RESOURCE_NOT_FOUND: 5,
  REQUEST_ID_REUSED: 6,
  EVENTS_EXPIRED: 11,
  RESUME_REJECTED: 9,
  VENDOR_TIMEOUT: 4,
  CANCELLED: 1,
  DEADLINE_EXCEEDED: 4,
  SOURCE_NOT_FOUND: 5,
  MANIFEST_INVALID: 9,
  SERVICE_UNSUPPORTED: 12,
} as const;

/** Why a call failed: `mediaconduit.v1.ErrorReason` without its prefix. */
export type Reason = keyof typeof CODES;

/** One mistake in a request. */
export interface FieldViolation {
  /** Path from the request ("options.audio.speed", "turns[0].parts[1]"). */
  field: string;
  /** What is wrong and what is allowed. */
  description: string;
}

export interface ErrorOptions {
  /** From the closed list; each class has a default. */
  reason?: Reason;
  /** What to do next. */
  hint?: string;
  /** The mistakes found, for INPUT_INVALID. */
  fields?: readonly FieldViolation[];
  /** Facts for programs, as the reason's documentation names them. */
  metadata?: Readonly<Record<string, string>>;
  /** Seconds after which another try makes sense. */
  retryAfter?: number;
  /** Consumed all the same: the vendor charges for it. */
  usage?: { units?: Record<string, number>; nanoCost?: number; currency?: string; estimated?: boolean };
  cause?: unknown;
}

/** What went wrong, why, and what to do next. No secrets and no paths of this machine in any of it. */
export class MediaConduitError extends Error {
  static readonly defaultReason: Reason = "UNSPECIFIED";
  readonly reason: Reason;
  readonly hint: string;
  readonly fields: readonly FieldViolation[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfter: number | undefined;
  readonly usage: ErrorOptions["usage"];

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.reason = options.reason ?? new.target.defaultReason;
    this.hint = options.hint ?? "";
    this.fields = options.fields ?? [];
    this.metadata = options.metadata ?? {};
    this.retryAfter = options.retryAfter;
    this.usage = options.usage;
  }

  /** Number of the gRPC status code. */
  get code(): number {
    return CODES[this.reason];
  }
}

/** The request is wrong; sending it again will not help. */
export class InvalidRequestError extends MediaConduitError {
  static override readonly defaultReason: Reason = "INPUT_INVALID";

  /** The mistake in one field. */
  static at(field: string, description: string, hint = ""): InvalidRequestError {
    return new InvalidRequestError(`${field}: ${description}`, { fields: [{ field, description }], hint });
  }
}

/** A model or resource does not exist. */
export class NotFoundError extends MediaConduitError {
  static override readonly defaultReason: Reason = "RESOURCE_NOT_FOUND";
}

/** Something must be changed first: a key, a setting. */
export class PreconditionError extends MediaConduitError {
  static override readonly defaultReason: Reason = "CAPABILITY_UNSUPPORTED";
}

/** The caller is unknown or not allowed. */
export class AccessError extends MediaConduitError {
  static override readonly defaultReason: Reason = "NOT_ALLOWED";
}

/** Too fast, too much, or too busy. */
export class ExhaustedError extends MediaConduitError {
  static override readonly defaultReason: Reason = "OVERLOADED";
}

/** Not there now; another try may succeed. */
export class UnavailableError extends MediaConduitError {
  static override readonly defaultReason: Reason = "PROVIDER_NOT_READY";
}

/** A deadline passed. */
export class CallTimeoutError extends MediaConduitError {
  static override readonly defaultReason: Reason = "DEADLINE_EXCEEDED";
}

/** The caller left. */
export class CallCancelledError extends MediaConduitError {
  static override readonly defaultReason: Reason = "CANCELLED";
}

/** An optional service the server does not have. */
export class UnsupportedError extends MediaConduitError {
  static override readonly defaultReason: Reason = "SERVICE_UNSUPPORTED";
}

/** Our fault or the vendor's. `metadata.error_id` finds it in the logs. */
export class InternalError extends MediaConduitError {
  static override readonly defaultReason: Reason = "INTERNAL";

  /** For an exception nobody foresaw: its text must not leave the process, its error id does. */
  static unexpected(): InternalError {
    const errorId = randomUUID().replaceAll("-", "").slice(0, 12);
    return new InternalError(`an unexpected error ended the call (error id ${errorId})`, {
      hint: "the provider's logs have the details under this error id",
      metadata: { error_id: errorId },
    });
  }
}

/** The same error with every text changed by `change`. */
export function rewritten(error: MediaConduitError, change: (text: string) => string): MediaConduitError {
  const kind = error.constructor as new (message: string, options: ErrorOptions) => MediaConduitError;
  return new kind(change(error.message), {
    reason: error.reason,
    hint: change(error.hint),
    fields: error.fields.map(({ field, description }) => ({ field: change(field), description: change(description) })),
    metadata: Object.fromEntries(Object.entries(error.metadata).map(([name, value]) => [name, change(value)])),
    retryAfter: error.retryAfter,
    usage: error.usage,
  });
}

/** What goes wrong in providers of the original system, as errors that callers can act on. */
import {
  ExhaustedError,
  InternalError,
  InvalidRequestError,
  MediaConduitError,
  PreconditionError,
  UnavailableError,
} from "../errors.js";

const UNREACHABLE = /\b(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|socket hang up|fetch failed)\b/;
const STATUS = /\b(?:status(?: code)?|HTTP|error)[ :(]+([45]\d\d)\b/i;

/** The error in our words where it is a vendor's answer or none at all; anything else as it is. */
export function translated(error: unknown): unknown {
  if (error instanceof MediaConduitError || !(error instanceof Error)) return error;
  const status = statusOf(error);
  if (status) return ofStatus(status, error);
  if (UNREACHABLE.test(`${(error as any).code ?? ""} ${error.message} ${(error.cause as any)?.code ?? ""}`)) {
    return new UnavailableError("the vendor or service cannot be reached", {
      reason: "VENDOR_UNAVAILABLE",
      hint: "see whether it runs and its address is right",
      retryAfter: 2,
      cause: error,
    });
  }
  return error;
}

function statusOf(error: any): number | undefined {
  const own = error.response?.status ?? error.status ?? error.statusCode ?? error.cause?.response?.status;
  if (Number.isInteger(own) && own >= 400) return own;
  const found = STATUS.exec(error.message);
  return found ? Number(found[1]) : undefined;
}

function ofStatus(status: number, error: any): MediaConduitError {
  const cause = error;
  const answer = `the vendor answered with status ${status}`;
  if (status === 401 || status === 403) {
    const hint = "give the provider another key";
    return new PreconditionError("the vendor refuses the key", { reason: "CREDENTIALS_REJECTED", hint, cause });
  }
  if (status === 402)
    return new ExhaustedError(answer, { reason: "QUOTA_EXCEEDED", metadata: { whose: "vendor" }, cause });
  if (status === 429) {
    const stated = Number(error.response?.headers?.["retry-after"]);
    const retryAfter = Number.isFinite(stated) && stated > 0 ? stated : 5;
    return new ExhaustedError("the vendor's limit of calls is reached", {
      reason: "RATE_LIMITED",
      metadata: { whose: "vendor" },
      retryAfter,
      cause,
    });
  }
  if (status === 413) return new InvalidRequestError(answer, { reason: "INPUT_TOO_LARGE", cause });
  if (status === 400 || status === 404 || status === 422) {
    return new InvalidRequestError(`${answer}: it does not take the request`, {
      hint: "see the provider's logs",
      cause,
    });
  }
  if (status >= 500) {
    return new UnavailableError(answer, { reason: "VENDOR_UNAVAILABLE", retryAfter: 2, cause });
  }
  return new InternalError(answer, { reason: "VENDOR_PROTOCOL", cause });
}

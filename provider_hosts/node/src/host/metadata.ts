/** What a call's metadata says about it. */
import { randomUUID } from "node:crypto";
import type { Metadata } from "@grpc/grpc-js";

/** What only the broker and the transport know. */
export interface CallFacts {
  /** "generations/{id}". */
  generation: string;
  /** The provider's code as resolved; empty without a broker. */
  source: string;
  /** Milliseconds the call waited before it came here. */
  queueMs: number;
  /** Who calls; empty without a broker. */
  caller: string;
  /** `performance.now()` at which the caller gives up. */
  deadline: number | undefined;
}

/** The facts of a call. */
export function readFacts(metadata: Metadata, deadline: Date | number, requestId: string): CallFacts {
  const one = (name: string): string => {
    const value = metadata.get(`x-mediaconduit-${name}`)[0];
    return typeof value === "string" ? value : "";
  };
  const queue = one("queue-ms");
  const until = typeof deadline === "number" ? deadline : deadline.getTime();
  return {
    generation: one("generation") || `generations/${requestId || randomUUID()}`,
    source: one("source"),
    queueMs: /^\d{1,9}$/.test(queue) ? Number(queue) : 0,
    caller: one("caller"),
    deadline: Number.isFinite(until) ? performance.now() + (until - Date.now()) : undefined,
  };
}

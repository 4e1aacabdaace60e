/**
 * Cancels what code that knows no AbortSignal does on the network: every request that is made on behalf of a call ends
 * with the call. The call is found through the asynchronous context, whatever library makes the request.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import http from "node:http";
import https from "node:https";
import { syncBuiltinESMExports } from "node:module";

const calls = new AsyncLocalStorage<AbortSignal>();
let installed = false;

/** Runs code whose requests end when the signal is aborted. */
export function cancelledBy<T>(signal: AbortSignal, work: () => T): T {
  install();
  return calls.run(signal, work);
}

function install(): void {
  if (installed) return;
  installed = true;
  for (const module of [http, https] as (typeof http)[]) {
    const { request } = module;
    module.request = ((...args: Parameters<typeof http.request>) => bound(request(...args))) as typeof http.request;
    module.get = ((...args: Parameters<typeof http.request>) => {
      const made = module.request(...args);
      made.end();
      return made;
    }) as typeof http.get;
  }
  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => {
    const signal = calls.getStore();
    if (!signal) return fetch(input, init);
    const own = init?.signal;
    return fetch(input, { ...init, signal: own ? AbortSignal.any([own, signal]) : signal });
  };
  syncBuiltinESMExports();
}

function bound(request: http.ClientRequest): http.ClientRequest {
  const signal = calls.getStore();
  if (!signal) return request;
  const stop = (): void => {
    request.destroy(new Error("the call was cancelled"));
  };
  if (signal.aborted) stop();
  else {
    signal.addEventListener("abort", stop);
    request.once("close", () => signal.removeEventListener("abort", stop));
  }
  return request;
}

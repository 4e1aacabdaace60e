/** The life of a sidecar's process: listen, import, serve, drain, exit. */
import { spawn, type SpawnOptions } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Provider } from "../provider.js";
import type { HostConfig } from "./config.js";
import { Credentials } from "./credentials.js";
import { EntryError, load } from "./entry.js";
import { FirstConfigure } from "./firstConfigure.js";
import { Host } from "./host.js";
import { log } from "./logs.js";
import { killChildren } from "./processes.js";
import { Server } from "./server.js";

export const EXIT_DRAINED = 0;
export const EXIT_USAGE = 64;
/** The author's module could not be imported, constructed or set up. */
export const EXIT_PROVIDER = 70;

let temporary = "";

/** One folder for all temporary files of the process, the author's included, so that they end with it. */
export function useOwnTemporaryFolder(): void {
  temporary = mkdtempSync(join(tmpdir(), "mediaconduit-sidecar-"));
  process.env.TMPDIR = temporary;
}

/** Ends the process with its children, whatever the author's code still does. */
export function leave(code: number): never {
  try {
    killChildren();
    if (temporary) rmSync(temporary, { recursive: true, force: true });
  } finally {
    process.exit(code);
  }
}

/** What tells a sidecar to end: a signal drains, a second one or the end of the lifeline does not wait for calls. */
class Stop {
  readonly #stopping = new AbortController();
  readonly #hurry = new AbortController();

  constructor(config: HostConfig) {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => this.#signalled(config));
    if (config.lifeline) watchLifeline(() => this.#cut(config), config.closeGrace);
  }

  get hurry(): AbortSignal {
    return this.#hurry.signal;
  }

  get requested(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stopping.signal.aborted) resolve();
      else this.#stopping.signal.addEventListener("abort", () => resolve());
    });
  }

  #signalled(config: HostConfig): void {
    if (this.#stopping.signal.aborted) this.#hurry.abort();
    this.#stopping.abort();
    lastResort(config.grace + config.closeGrace + 1);
  }

  #cut(config: HostConfig): void {
    this.#hurry.abort();
    this.#stopping.abort();
    lastResort(config.closeGrace);
  }
}

/** Serves a provider until SIGTERM, SIGINT or the end of the lifeline, and ends the process. */
export async function run(entry: string, config: HostConfig, folder: string): Promise<never> {
  const stop = new Stop(config);
  const server = new Server(config, folder);
  const credentials = new Credentials(config.secrets);
  let first: FirstConfigure | undefined;
  if (config.secrets.length) {
    first = new FirstConfigure(config, credentials);
    server.serveFirst(first);
    await start(server);
    const secrets = await Promise.race([first.secrets, stop.requested]);
    if (!secrets) {
      await server.stop();
      leave(EXIT_DRAINED);
    }
    credentials.put(secrets);
  }
  const provider = await loaded(entry);
  const kind = provider.constructor as typeof Provider;
  const providerId = config.providerId || kind.id || kind.name.toLowerCase() || "provider";
  const host = new Host(provider, { ...config, providerId }, credentials);
  const servicer = server.serve(host);
  if (first) first.handOver(servicer);
  else await start(server);
  const failed = await untilStopped(host, server, stop);
  server.draining();
  await host.finish(failed || stop.hurry.aborted ? 0 : config.grace, stop.hurry);
  await server.stop();
  leave(failed ? EXIT_PROVIDER : EXIT_DRAINED);
}

async function start(server: Server): Promise<void> {
  try {
    await server.start();
  } catch (error) {
    log("ERROR", (error as Error).message);
    leave(EXIT_USAGE);
  }
}

async function loaded(entry: string): Promise<Provider> {
  try {
    return await load(entry);
  } catch (error) {
    if (error instanceof EntryError) log("ERROR", error.message, error.cause);
    else log("ERROR", "the provider could not be loaded", error);
    return leave(EXIT_PROVIDER);
  }
}

/** Sets the provider up and waits; says whether the setup failed. */
async function untilStopped(host: Host, server: Server, stop: Stop): Promise<boolean> {
  const failed = new Promise<true>((resolve) => {
    host.setup().then(
      () => {
        if (host.state === "READY") server.ready();
      },
      (error: unknown) => {
        log("ERROR", "setup failed", error);
        resolve(true);
      },
    );
  });
  return (await Promise.race([failed, stop.requested])) === true;
}

/** Calls `closed` at EOF of stdin. */
function watchLifeline(closed: () => void, grace: number): void {
  if (process.platform === "linux") watchByShell(closed, grace);
  else watchHere(closed);
}

function watchHere(closed: () => void): void {
  for (const event of ["end", "error", "close"] as const) process.stdin.on(event, closed);
  process.stdin.resume();
}

/**
 * Has a shell of less than a megabyte read stdin: it closes its stdout at the end, and then ends this process when that
 * has not, because the author's code blocks the event loop. A thread for that would take ten megabytes. The shell looks
 * whether this is still the process it was started by.
 */
function watchByShell(closed: () => void, grace: number): void {
  const born = 'born() { read -r stat < "/proc/$PPID/stat" && set -- $stat && echo "${22}"; }';
  const watch = 'then=$(born); while read -r line; do :; done; exec >&-; sleep "$0"';
  const script = `${born}; ${watch}; [ "$(born)" = "$then" ] && kill -9 "$PPID"`;
  // Whose it is can be seen by the nonce.
  const { PATH, MEDIACONDUIT_INSTANCE } = process.env;
  const options: SpawnOptions = { stdio: ["inherit", "pipe", "ignore"], env: { PATH, MEDIACONDUIT_INSTANCE } };
  const watcher = spawn("/bin/sh", ["-c", script, String(Math.ceil(grace) + 1)], options);
  watcher.on("error", () => watchHere(closed));
  watcher.on("spawn", () => watcher.stdout?.on("end", closed).resume());
  watcher.unref();
}

/** Nobody waits for code that hangs. */
function lastResort(seconds: number): void {
  setTimeout(() => leave(EXIT_DRAINED), seconds * 1000).unref();
}

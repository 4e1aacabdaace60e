/**
 * `mediaconduit-provider FILE[:Export]`: serves a provider. The only module that reads the environment.
 *
 * | variable                      | what                                                                              |
 * |-------------------------------|-----------------------------------------------------------------------------------|
 * | MEDIACONDUIT_LISTEN           | "unix:/path" or "host:port"; default 127.0.0.1:50052                              |
 * | MEDIACONDUIT_PROVIDER         | the id it is to have; default: the class name in lower case                       |
 * | MEDIACONDUIT_PROVIDER_VERSION | version to report                                                                 |
 * | MEDIACONDUIT_INSTANCE         | nonce that Describe echoes                                                        |
 * | MEDIACONDUIT_LIFELINE         | "stdin": exit at EOF of stdin                                                     |
 * | MEDIACONDUIT_TLS_CERTIFICATE  | file with its certificate, PEM; with the next two: mutual TLS                     |
 * | MEDIACONDUIT_TLS_KEY          | file with the private key of that                                                 |
 * | MEDIACONDUIT_TLS_PEER         | file with the certificate of the only one that may call                           |
 * | MEDIACONDUIT_SECRETS          | names, separated by commas, of the variables that the first Configure brings: the |
 * |                               | provider is imported after it, and calls fail while one of them is missing        |
 *
 * Exits with 0 when drained, 64 for a wrong command line or environment, 70 when the provider could not be imported,
 * constructed or set up.
 */
import { readFileSync } from "node:fs";
import { EXIT_USAGE, leave, run, useOwnTemporaryFolder } from "./host/bootstrap.js";
import { DEFAULTS, type HostConfig } from "./host/config.js";
import { namesOf } from "./host/credentials.js";
import { configureLogs, log } from "./host/logs.js";

/** Runs a sidecar to its end. `folder` is where the host's own files lie. */
export async function main(args: readonly string[], environ: NodeJS.ProcessEnv, folder: string): Promise<never> {
  const lifeline = environ.MEDIACONDUIT_LIFELINE ?? "";
  configureLogs(lifeline !== "");
  const [entry] = args;
  if (args.length !== 1 || !entry) return wrong("usage: mediaconduit-provider FILE[:Export]");
  if (lifeline && lifeline !== "stdin") return wrong("MEDIACONDUIT_LIFELINE may only be 'stdin'");
  let config: HostConfig;
  try {
    config = configOf(environ);
  } catch (error) {
    return wrong((error as Error).message);
  }
  process.on("unhandledRejection", (error) => log("ERROR", "a promise of the provider's was rejected", error));
  process.on("uncaughtException", (error) => {
    log("ERROR", "an error of the provider's ended the process", error);
    leave(1);
  });
  useOwnTemporaryFolder();
  return run(entry, config, folder);
}

function wrong(message: string): never {
  log("ERROR", message);
  return leave(EXIT_USAGE);
}

function configOf(environ: NodeJS.ProcessEnv): HostConfig {
  return {
    ...DEFAULTS,
    providerId: environ.MEDIACONDUIT_PROVIDER ?? "",
    listen: environ.MEDIACONDUIT_LISTEN || DEFAULTS.listen,
    version: environ.MEDIACONDUIT_PROVIDER_VERSION ?? "",
    instanceId: environ.MEDIACONDUIT_INSTANCE ?? "",
    secrets: namesOf(environ.MEDIACONDUIT_SECRETS ?? ""),
    lifeline: Boolean(environ.MEDIACONDUIT_LIFELINE),
    tls: tlsOf(environ),
  };
}

function tlsOf(environ: NodeJS.ProcessEnv): HostConfig["tls"] {
  const files = ["CERTIFICATE", "KEY", "PEER"].map((part) => environ[`MEDIACONDUIT_TLS_${part}`]);
  if (!files.some(Boolean)) return undefined;
  try {
    const [certificate, key, peer] = files.map((file) => readFileSync(file ?? ""));
    return { certificate: certificate!, key: key!, peer: peer! };
  } catch {
    throw new TypeError("MEDIACONDUIT_TLS_CERTIFICATE, _KEY and _PEER must all name files that can be read");
  }
}

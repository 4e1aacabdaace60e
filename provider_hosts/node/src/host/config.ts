/** How a host runs. Filled in by `main` from the environment, by tests directly. */
export interface HostConfig {
  /** The id it is to have ("cowsay"). */
  providerId: string;
  /** "unix:/path" or "host:port". */
  listen: string;
  /** PEM: its certificate, its key, and the certificate of the only one that may call. */
  tls?: { certificate: Buffer; key: Buffer; peer: Buffer };
  /** Version of the provider. */
  version: string;
  /** The nonce that Describe echoes. */
  instanceId: string;
  /** Names of the variables that the first Configure brings. With some, the provider is imported after it. */
  secrets: readonly string[];
  /** Exit at EOF of stdin. */
  lifeline: boolean;
  /** Seconds that running calls get when draining. */
  grace: number;
  /** Seconds for everything together once the lifeline closed. */
  closeGrace: number;
  /** Seconds of silence after which a sign of life is sent. */
  heartbeat: number;
  /** Seconds after its cancel at which a call that still runs counts as stuck. */
  stuckAfter: number;
}

/** What holds where nobody says otherwise. */
export const DEFAULTS: HostConfig = {
  providerId: "",
  listen: "127.0.0.1:50052",
  version: "",
  instanceId: "",
  secrets: [],
  lifeline: false,
  grace: 10,
  closeGrace: 2,
  heartbeat: 15,
  stuckAfter: 2,
};

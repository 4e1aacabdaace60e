/** A Docker service as the original's providers see it. Here it is an address that somebody else keeps alive. */
import { UnavailableError } from "../errors.js";
import type { Facts } from "./assets.js";

/** Milliseconds between two looks at a service that is not healthy yet. */
const PAUSE = 200;
/** Seconds that one look may take. */
const PATIENCE = 5;

/** What constructors want, and `AbstractDockerProvider` finds. */
export class Service {
  readonly #url: URL;

  constructor(
    url: string,
    /** Path that answers when it is healthy; empty = "/health", and any answer but a failure of the server counts. */
    private readonly health: string,
    private readonly name: string,
  ) {
    this.#url = new URL(url);
  }

  /** Its address without a slash at the end. */
  get url(): string {
    return this.#url.href.replace(/\/+$/, "");
  }

  get port(): number {
    return Number(this.#url.port) || (this.#url.protocol === "https:" ? 443 : 80);
  }

  getServiceInfo(): Facts {
    return {
      containerName: this.name,
      dockerImage: "",
      ports: [this.port],
      composeService: this.name,
      composeFile: "",
      healthCheckUrl: `${this.url}${this.health || "/health"}`,
      network: "",
      serviceDirectory: "",
      url: this.url,
    };
  }

  getConfig(): Facts {
    return { serviceName: this.name, ...this.getServiceInfo() };
  }

  async getServiceStatus(): Promise<Facts> {
    const healthy = await this.isServiceHealthy();
    return { running: healthy, health: healthy ? "healthy" : "unhealthy", state: healthy ? "running" : "stopped" };
  }

  async isServiceHealthy(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(PATIENCE * 1000);
      const answer = await fetch(`${this.url}${this.health || "/health"}`, { signal });
      await answer.body?.cancel();
      return this.health ? answer.ok : answer.status < 500;
    } catch {
      return false;
    }
  }

  /** Whether it is healthy within so many milliseconds. */
  async waitForHealthy(timeout = 30_000): Promise<boolean> {
    const until = performance.now() + timeout;
    for (;;) {
      if (await this.isServiceHealthy()) return true;
      if (performance.now() + PAUSE > until) return false;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** It is started by whoever gave its address. */
  startService(): Promise<boolean> {
    return this.isServiceHealthy();
  }

  async stopService(): Promise<boolean> {
    return true;
  }

  async restartService(): Promise<boolean> {
    return this.isServiceHealthy();
  }

  async getLogs(): Promise<string> {
    return "";
  }

  /** Throws `UnavailableError` when it does not become healthy in time. */
  async require(timeout: number): Promise<void> {
    if (await this.waitForHealthy(timeout)) return;
    throw new UnavailableError(`the service ${this.name} at ${this.#url.host} is not healthy`, {
      reason: "VENDOR_UNAVAILABLE",
      hint: "start it, or set service_url to where it runs and service_health to the path of its health check",
      retryAfter: 5,
    });
  }
}

let current: Service | undefined;

/** The service of this sidecar's provider. */
export function currentService(): Service | undefined {
  return current;
}

/** Says which service providers find. */
export function useService(service: Service | undefined): void {
  current = service;
}

/** `AbstractDockerProvider` of the original system: a provider that is the client of a Docker service. */
import type { Facts } from "./assets.js";
import { currentService, type Service } from "./service.js";

const INITIALISING = new WeakMap<object, Promise<void>>();

/** Subclasses say where their service comes from and make models of it. */
export abstract class AbstractDockerProvider {
  dockerServiceManager: Service | undefined;
  protected config: Facts = {};
  protected initialized = false;
  // Methods that subclasses may have.
  getServiceUrl?(): string;
  onServiceReady?(): Promise<void> | void;
  onServiceConfigured?(config: Facts): Promise<void> | void;
  getDefaultBaseUrl?(): string;
  getAvailableModels?(): string[] | Promise<string[]>;
  createModel?(id: string): unknown;

  constructor() {
    // Later: what the subclass declares as fields is not set yet.
    const done = Promise.resolve().then(() => this.initializeDockerService());
    done.catch(() => undefined);
    INITIALISING.set(this, done);
  }

  protected async initializeDockerService(): Promise<void> {
    this.getServiceUrl?.();
    this.dockerServiceManager = currentService();
    await this.onServiceReady?.();
    this.initialized = true;
  }

  getDockerService(): Service | undefined {
    return this.dockerServiceManager;
  }

  getBaseUrl(): string {
    return this.config.baseUrl ?? this.dockerServiceManager?.url ?? this.getDefaultBaseUrl?.() ?? "";
  }

  async configure(config: Facts): Promise<void> {
    this.config = { ...config };
    await this.onServiceConfigured?.(config);
  }

  async startService(): Promise<boolean> {
    return (await this.dockerServiceManager?.startService()) ?? false;
  }

  async stopService(): Promise<boolean> {
    return (await this.dockerServiceManager?.stopService()) ?? false;
  }

  async getServiceStatus(): Promise<Facts> {
    return (await this.dockerServiceManager?.getServiceStatus()) ?? { running: false, health: "unknown" };
  }

  async isServiceHealthy(): Promise<boolean> {
    return (await this.dockerServiceManager?.isServiceHealthy()) ?? false;
  }

  async waitForHealthy(timeout?: number): Promise<boolean> {
    return (await this.dockerServiceManager?.waitForHealthy(timeout)) ?? false;
  }

  async isAvailable(): Promise<boolean> {
    return this.isServiceHealthy();
  }

  async getHealth(): Promise<Facts> {
    return { status: (await this.isServiceHealthy()) ? "healthy" : "unhealthy" };
  }

  getSupportedModels(): unknown {
    return this.getAvailableModels?.() ?? [];
  }

  async getModel(id: string): Promise<unknown> {
    return this.createModel?.(id);
  }
}

/** Resolves when a provider is through with its initialisation; rejects as that did. */
export async function initialised(provider: object): Promise<void> {
  await INITIALISING.get(provider);
}

import { MediaCapability, ProviderType, MediaProvider } from '@mediaconduit/mediaconduit/src/media/types/provider';
import { TextToTextProvider } from '@mediaconduit/mediaconduit/src/media/capabilities';
import { CowsayAPIClient } from './CowsayAPIClient';
import { CowsayDockerModel } from './CowsayDockerModel';

export class CowsayDockerProvider implements MediaProvider, TextToTextProvider {
  readonly id = 'cowsay-docker';
  readonly name = 'Cowsay';
  readonly type = ProviderType.LOCAL;
  readonly capabilities = [MediaCapability.TEXT_TO_TEXT];
  private apiClient: CowsayAPIClient;

  constructor(private dockerService: any) {
    // Read once, here: a service that is started later is never found.
    const ports = dockerService.getServiceInfo().ports;
    this.apiClient = new CowsayAPIClient(`http://localhost:${ports[0]}`);
  }

  get models() {
    return [{ id: 'cowsay', name: 'Cowsay', description: 'Says it as a cow', capabilities: this.capabilities, parameters: {} }];
  }

  async configure(_config: any): Promise<void> {}

  async isAvailable(): Promise<boolean> {
    return (await this.dockerService.getServiceStatus()).running;
  }

  getModelsForCapability(capability: string) {
    return capability === MediaCapability.TEXT_TO_TEXT ? this.models : [];
  }

  async getModel(modelId: string) {
    if (modelId !== 'cowsay') {
      throw new Error(`Model '${modelId}' not supported`);
    }
    return new CowsayDockerModel(this.apiClient);
  }
}

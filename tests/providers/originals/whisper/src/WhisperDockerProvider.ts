import { AbstractDockerProvider } from '@mediaconduit/mediaconduit/src/media/providers/docker/AbstractDockerProvider';
import { MediaCapability, ProviderType } from '@mediaconduit/mediaconduit/src/media/types/provider';
import { Model } from '@mediaconduit/mediaconduit/src/media/models/abstracts/Model';
import { Audio, Text } from '@mediaconduit/mediaconduit/src/media/assets/roles';
import { WhisperAPIClient } from './WhisperAPIClient';

class WhisperModel extends Model {
  constructor(public id: string, public apiClient: WhisperAPIClient) {
    super({ id, name: id, description: 'Whisper', capabilities: [MediaCapability.AUDIO_TO_TEXT] });
  }

  async transform(_input: Audio): Promise<Text> {
    return new Text('TODO: implement transcription');
  }
}

export class WhisperDockerProvider extends AbstractDockerProvider {
  readonly id = 'whisper-docker';
  readonly name = 'Whisper';
  readonly type = ProviderType.LOCAL;
  readonly capabilities = [MediaCapability.AUDIO_TO_TEXT];
  private apiClient?: WhisperAPIClient;
  private order: string[] = [];

  protected getServiceUrl(): string {
    this.order.push('url');
    return 'github:MediaConduit/whisper-service';
  }

  protected async onServiceReady(): Promise<void> {
    // What is declared as a field is there by now.
    this.order.push('ready');
  }

  protected getDefaultBaseUrl(): string {
    return 'http://localhost:9000';
  }

  async configure(config: any): Promise<void> {
    if (this.order.join() !== 'url,ready') throw new Error(`started in the wrong order: ${this.order}`);
    const port = this.getDockerService()?.getServiceInfo().ports[0];
    this.apiClient = new WhisperAPIClient(config.baseUrl || (port ? `http://localhost:${port}` : this.getDefaultBaseUrl()));
  }

  getAvailableModels(): string[] {
    return ['whisper-base', 'whisper-small'];
  }

  createModel(modelId: string) {
    if (!this.apiClient) throw new Error('Provider not configured');
    return new WhisperModel(modelId, this.apiClient);
  }
}

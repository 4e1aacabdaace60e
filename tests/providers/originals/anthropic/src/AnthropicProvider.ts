import axios, { AxiosInstance } from 'axios';
import { MediaCapability, ProviderType, ProviderConfig } from '@mediaconduit/mediaconduit/src/media/types/provider';
import { TextToTextModel, ModelMetadata } from '@mediaconduit/mediaconduit/src/media/models/abstracts/TextToTextModel';
import { Text } from '@mediaconduit/mediaconduit/src/media/assets/roles';
import { createGenerationPrompt } from '@mediaconduit/mediaconduit/src/media/utils/GenerationPromptHelper';
import { TextMetadata } from '@mediaconduit/mediaconduit/src/media/assets/roles/types/metadata';
import models from './models.json';

class ClaudeModel extends TextToTextModel {
  constructor(private client: AxiosInstance, metadata: ModelMetadata) {
    super(metadata);
  }

  async transform(input: any, options: any = {}): Promise<Text> {
    const text = input.asRole(Text);
    const meta: TextMetadata = text.getTextMetadata();
    const { data } = await this.client.post('/messages', {
      model: this.getId(),
      max_tokens: options.maxOutputTokens ?? 1024,
      temperature: options.temperature,
      messages: [{ role: 'user', content: text.content }],
    });
    return new Text(data.content[0].text, meta.language, 1, {
      usage: data.usage,
      generation_prompt: createGenerationPrompt({
        input, options, modelId: data.model, modelName: this.getName(), provider: 'anthropic',
        transformationType: 'text-to-text', aiMetadata: { responseId: data.id },
      }),
    });
  }
}

export class AnthropicProvider {
  readonly id = 'anthropic';
  readonly name = 'Anthropic';
  readonly type = ProviderType.REMOTE;
  readonly capabilities = [MediaCapability.TEXT_TO_TEXT];
  private client?: AxiosInstance;

  constructor() {
    const apiKey = process.env.ANTHROPIC_API_KEY;
    if (apiKey) {
      this.connect({ apiKey, baseUrl: process.env.ANTHROPIC_BASE_URL || 'https://api.anthropic.com/v1', timeout: Number(process.env.ANTHROPIC_TIMEOUT || 30000) });
    }
  }

  private connect(config: ProviderConfig) {
    // Without a base URL every request goes to nowhere.
    this.client = axios.create({ baseURL: config.baseUrl, timeout: config.timeout, headers: { 'x-api-key': config.apiKey, 'anthropic-version': '2023-06-01' } });
  }

  async configure(config: ProviderConfig): Promise<void> {
    this.connect(config);
  }

  get models() {
    return models.map((model) => ({ ...model, capabilities: [MediaCapability.TEXT_TO_TEXT] }));
  }

  getModelsForCapability(capability: any) {
    return capability === MediaCapability.TEXT_TO_TEXT ? this.models : [];
  }

  async getModel(id: string) {
    if (!this.client) throw new Error('Anthropic provider not configured');
    return new ClaudeModel(this.client, { id, name: id });
  }
}

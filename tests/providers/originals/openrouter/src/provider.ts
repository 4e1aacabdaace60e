import axios from 'axios';
import { MediaCapability, ProviderType, TextToTextModel, Text } from '@mediaconduit/mediaconduit';

const HOST = 'https://openrouter.ai/api/v1';

class OpenRouterModel extends TextToTextModel {
  constructor(private key: string, metadata: any) {
    super(metadata);
  }

  async transform(input: any, options: any = {}) {
    const { data } = await axios.post(`${HOST}/chat/completions`, {
      model: this.getId(),
      temperature: options.temperature,
      messages: [{ role: 'user', content: input.content }],
    }, { headers: { Authorization: `Bearer ${this.key}` } });
    return Text.fromString(data.choices[0].message.content, 'auto', 1, { usage: data.usage, model: data.model });
  }
}

export class OpenRouterProvider {
  readonly id = 'openrouter';
  readonly name = 'OpenRouter';
  readonly type = ProviderType.REMOTE;
  readonly capabilities = [MediaCapability.TEXT_TO_TEXT];
  private discovered = new Map<string, any>();
  private key = process.env.OPENROUTER_API_KEY ?? '';

  constructor() {
    // In the background: nobody waits for it.
    if (this.key) this.discover().catch((error) => console.warn(`discovery failed: ${error.message}`));
  }

  private async discover() {
    const { data } = await axios.get(`${HOST}/models`, { headers: { Authorization: `Bearer ${this.key}` } });
    for (const model of data.data) this.discovered.set(model.id, model);
  }

  get models() {
    return [...this.discovered.values()].map((model) => ({
      id: model.id, name: model.name, description: '', capabilities: [MediaCapability.TEXT_TO_TEXT], parameters: {}, context_length: model.context_length,
    }));
  }

  getModelsForCapability(capability: any) {
    return capability === MediaCapability.TEXT_TO_TEXT ? this.models : [];
  }

  async getModel(id: string) {
    return new OpenRouterModel(this.key, { id, name: id });
  }
}

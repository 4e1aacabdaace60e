import axios from 'axios';
import { MediaCapability, ProviderType, ProviderModel } from '@mediaconduit/mediaconduit';
import { TextToTextModel } from '@mediaconduit/mediaconduit/src/media/models/abstracts/TextToTextModel';
import { Text } from '@mediaconduit/mediaconduit/src/media/assets/roles/classes/Text';
export { ProviderModel };

class OllamaModel extends TextToTextModel {
  constructor(private baseUrl: string, id: string) {
    super({ id, name: id, capabilities: [MediaCapability.TEXT_TO_TEXT], provider: 'ollama' });
  }

  private body(prompt: string, options: any, stream: boolean) {
    return { model: this.getId(), prompt, stream, options: { temperature: options?.temperature, seed: options?.seed } };
  }

  async transform(input: Text | Text[], options?: any): Promise<Text> {
    const [first] = Array.isArray(input) ? input : [input];
    const { data } = await axios.post(`${this.baseUrl}/api/generate`, this.body(first.asRole(Text).content, options, false));
    return Text.fromString(data.response, 'en', 1, { usage: { prompt_tokens: data.prompt_eval_count, completion_tokens: data.eval_count } });
  }

  async transformConversation(messages: { role: string; content: string }[], _options?: any): Promise<Text> {
    const { data } = await axios.post(`${this.baseUrl}/api/chat`, { model: this.getId(), messages, stream: false });
    return Text.fromString(data.message.content);
  }

  async *transformStream(input: Text, options?: any) {
    const { data } = await axios.post(`${this.baseUrl}/api/generate`, this.body(input.content, options, true), { responseType: 'stream' });
    let rest = '';
    for await (const chunk of data) {
      rest += chunk.toString();
      const lines = rest.split('\n');
      rest = lines.pop() as string;
      for (const line of lines) if (line.trim()) yield JSON.parse(line).response;
    }
  }
}

export class OllamaDockerProvider {
  readonly id = 'ollama-docker';
  readonly name = 'Ollama';
  readonly type = ProviderType.LOCAL;
  readonly capabilities = [MediaCapability.TEXT_TO_TEXT];
  readonly models = [];
  private baseUrl?: string;
  private names: string[] = [];

  constructor(private dockerServiceManager?: any) {}

  async configure(config: { baseUrl?: string }) {
    this.baseUrl = config.baseUrl || `http://localhost:${this.dockerServiceManager.getServiceInfo().ports[0]}`;
    const { data } = await axios.get(`${this.baseUrl}/api/tags`);
    this.names = data.models.map((model: any) => model.name);
  }

  getModelsForCapability(capability: string) {
    if (capability !== MediaCapability.TEXT_TO_TEXT) return [];
    return this.names.map((id) => ({ id, name: id, description: `${id} of Ollama`, capabilities: [capability] }));
  }

  async getModel(id: string) {
    if (!this.baseUrl) throw new Error('OllamaDockerProvider must be configured first');
    return new OllamaModel(this.baseUrl, id);
  }
}

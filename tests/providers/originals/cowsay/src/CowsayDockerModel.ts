import { TextToTextModel } from '@mediaconduit/mediaconduit/src/media/models/abstracts/TextToTextModel';
import { Text } from '@mediaconduit/mediaconduit/src/media/assets/roles';
import { createGenerationPrompt, extractInputContent } from '@mediaconduit/mediaconduit/src/media/utils/GenerationPromptHelper';
import { CowsayAPIClient } from './CowsayAPIClient';
import { CowsayOptions } from './types';

export class CowsayDockerModel extends TextToTextModel {
  public readonly id = 'cowsay';
  public readonly name = 'Cowsay';
  public readonly capabilities = ['text-to-text'];

  constructor(private apiClient: CowsayAPIClient) {
    super({
      id: 'cowsay',
      name: 'Cowsay',
      description: 'Says it as a cow',
      version: '1.0.0',
      provider: 'cowsay',
      capabilities: ['text-to-text'],
      inputTypes: ['text'],
      outputTypes: ['text'],
    });
  }

  async transform(input: any, options: CowsayOptions = {}): Promise<Text> {
    if (typeof input === 'string') {
      throw new Error('Input must be a TextRole');
    }
    const text: Text = await input.asRole(Text);
    if (!text.isValid()) {
      throw new Error('Invalid text data provided');
    }
    const output = await this.apiClient.say({ text: text.content, cow: options.cow });
    return new Text(output, text.language || 'en', 1.0, {
      processingTime: 1,
      generation_prompt: createGenerationPrompt({
        input: extractInputContent(input),
        options,
        modelId: this.getId(),
        modelName: this.getName(),
        provider: 'cowsay',
        transformationType: 'text-to-text',
      }),
    }, text.sourceAsset);
  }
}

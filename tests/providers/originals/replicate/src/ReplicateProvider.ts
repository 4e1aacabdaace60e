import fetch from 'node-fetch';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import Replicate from 'replicate';
import { v4 as uuid } from 'uuid';
import { MediaCapability, ProviderType } from '@mediaconduit/mediaconduit/src/media/types/provider';
import { TextToImageModel } from '@mediaconduit/mediaconduit/src/media/models/abstracts/TextToImageModel';
import { SmartAssetFactory } from '@mediaconduit/mediaconduit/src/media/assets/SmartAssetFactory';
import { Image } from '@mediaconduit/mediaconduit/src/media/assets/roles';

class ReplicateImageModel extends TextToImageModel {
  constructor(private client: Replicate, metadata: any) {
    super(metadata);
  }

  async transform(input: any, options: any = {}): Promise<Image> {
    const prompt = input.asRole ? input.content : String(input);
    const prediction = await this.client.predictions.create({
      model: this.getId(), input: { prompt, width: options.width, seed: options.seed },
    } as any);
    const done: any = await this.client.wait(prediction, { interval: 20 });
    if (done.status === 'failed') throw new Error(`Replicate prediction failed: ${done.error}`);
    const url = Array.isArray(done.output) ? done.output[0] : done.output;
    const response = await fetch(url);
    const file = path.join(os.tmpdir(), `${uuid()}.png`);
    fs.writeFileSync(file, await response.buffer());
    const asset = await SmartAssetFactory.load(file);
    const image = (asset as any).asRole(Image);
    image.metadata = { ...image.metadata, predictionId: done.id };
    return image;
  }
}

export class ReplicateProvider {
  readonly id = 'replicate';
  readonly name = 'Replicate';
  readonly type = ProviderType.REMOTE;
  readonly capabilities = [MediaCapability.TEXT_TO_IMAGE, MediaCapability.TEXT_TO_VIDEO];
  private client?: Replicate;

  constructor() {
    const token = process.env.REPLICATE_API_TOKEN;
    if (token) {
      if (!token.startsWith('r8_')) throw new Error('REPLICATE_API_TOKEN must start with r8_');
      this.client = new Replicate({ auth: token });
    }
  }

  readonly models = [
    { id: 'black-forest-labs/flux-schnell', name: 'FLUX schnell', description: '', capabilities: [MediaCapability.TEXT_TO_IMAGE], parameters: {} },
    { name: 'broken entry', capabilities: [MediaCapability.TEXT_TO_IMAGE] } as any,
  ];

  getModelsForCapability(capability: any) {
    return this.models.filter((model) => model.id && model.capabilities.includes(capability));
  }

  async getModel(id: string) {
    if (!this.client) throw new Error('Replicate provider not configured');
    return new ReplicateImageModel(this.client, { id, name: id });
  }
}

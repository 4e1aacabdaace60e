/** `mediaconduit.v1.Voices`, for providers that override the methods behind it. */
import { NotFoundError } from "../errors.js";
import {
  Voice,
  type CreateVoiceRequest,
  type CreateVoiceResponse,
  type DeleteVoiceRequest,
  type DeleteVoiceResponse,
  type ListVoicesRequest,
  type ListVoicesResponse,
} from "../generated/mediaconduit/v1/voices.js";
import type { DeepPartial } from "../outputs.js";
import type { Host } from "./host.js";
import { pageOf } from "./rpc.js";

export const VOICES = "mediaconduit.v1.Voices";
/** Voices that were made, by request_id. */
const REMEMBERED = 1000;

/** Lists, makes and removes voices. */
export class VoicesServicer {
  readonly #prefix: string;
  readonly #made = new Map<string, Promise<Voice>>();

  constructor(private readonly host: Host) {
    this.#prefix = `providers/${host.config.providerId}/voices/`;
  }

  async listVoices(request: ListVoicesRequest): Promise<ListVoicesResponse> {
    const provider = this.host.serving("listVoices", VOICES);
    const voices = (await provider.listVoices()).map((voice) => this.#named(voice));
    const { page, next } = pageOf(voices, request.pageSize, request.pageToken);
    return { voices: page, nextPageToken: next };
  }

  /** Makes a voice; the same request_id gives the same one. */
  async createVoice(request: CreateVoiceRequest): Promise<CreateVoiceResponse> {
    const provider = this.host.serving("createVoice", VOICES);
    const make = async (): Promise<Voice> => this.#named(await provider.createVoice(request));
    if (!request.requestId) return { voice: await make() };
    const making = this.#made.get(request.requestId) ?? make();
    this.#made.set(request.requestId, making);
    if (this.#made.size > REMEMBERED) this.#made.delete(this.#made.keys().next().value!);
    try {
      return { voice: await making };
    } catch (error) {
      this.#made.delete(request.requestId);
      throw error;
    }
  }

  async deleteVoice(request: DeleteVoiceRequest): Promise<DeleteVoiceResponse> {
    const provider = this.host.serving("deleteVoice", VOICES);
    if (!request.name.startsWith(this.#prefix)) {
      throw new NotFoundError(`${request.name || "a voice without a name"} is not a voice of this provider`, {
        hint: `its voices begin with ${this.#prefix}`,
        metadata: { name: request.name },
      });
    }
    await provider.deleteVoice(request.name.slice(this.#prefix.length));
    return {};
  }

  #named(voice: DeepPartial<Voice>): Voice {
    const name = voice.name ?? "";
    return Voice.fromPartial({ ...voice, name: name.startsWith("providers/") ? name : this.#prefix + name });
  }
}

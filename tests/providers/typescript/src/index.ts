import { once } from "node:events";
import { existsSync } from "node:fs";
import {
  FinishReason,
  InvalidRequestError,
  Output,
  Provider,
  type Call,
  type CreateVoiceRequest,
  type Input,
  type Model,
  type PullProgress,
  type Session,
  type Yielded,
} from "@mediaconduit/provider";
import { fail, louder, type Loud } from "@lib/louder";

export type { Loud };

const KEY_AT_IMPORT = process.env.TYPESCRIPT_KEY ?? "none";

export default class TypeScript extends Provider {
  static override displayName = "In TypeScript";
  override models: Model[] = [
    {
      id: "words",
      capabilities: ["text-to-text"],
      options: {
        "text.temperature": { type: "number", minimum: 0, maximum: 2 },
        "extra.do": { type: "string", default: "shout" },
        "extra.count": { type: "integer", minimum: 1 },
        "extra.until": { type: "string" },
      },
    },
    {
      id: "tone",
      capabilities: ["text-to-audio"],
      outputMediaTypes: ["audio/wav"],
      inputs: [{ name: "voice", mediaTypes: ["audio/*"], maxBytes: 1000 }],
    },
    { id: "talk", capabilities: ["text-to-text"], features: ["live"] },
  ];
  override settingsSchema = {
    type: "object",
    properties: { greeting: { type: "string", maxLength: 20 } },
    additionalProperties: false,
  };
  override maxConcurrency = 4;
  private stopped = 0;
  private made: { name: string; displayName: string }[] = [];

  override async *transform(input: Input, ctx: Call): AsyncGenerator<Yielded> {
    if (ctx.model.id === "tone") {
      const voice = ctx.inputs("voice")[0];
      yield voice ? await voice.bytes() : Buffer.alloc(300_000, 7);
      return;
    }
    switch (ctx.option<string>("extra.do")) {
      case "shout":
        yield louder(input.text).text;
        return;
      case "count":
        for (let at = 0; at < ctx.option("extra.count", 1); at++) yield `${at} `;
        return;
      case "parts": {
        yield { reasoning: { text: "hm" } };
        yield "one";
        const other = new Output("application/json", { name: "facts" });
        yield other;
        yield other.text('{"a":1}');
        yield { toolCall: { id: "c1", name: "look", arguments: "{}" } };
        yield { usage: { units: { character: 3 } } };
        yield { facts: { vendorModel: "ts-1" } };
        yield { finish: { reason: FinishReason.LENGTH } };
        return;
      }
      case "halves":
        yield "\ud83d";
        yield "\udc2e";
        return;
      case "fail":
        fail();
        break;
      case "refuse":
        throw new InvalidRequestError(`not with ${KEY_AT_IMPORT}`, { reason: "CONTENT_REFUSED" });
      case "wait":
        yield "waiting";
        try {
          await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)));
        } finally {
          this.stopped += 1;
        }
        break;
      case "stopped":
        yield String(this.stopped);
        return;
      case "greeting":
        yield `${this.settings.greeting ?? "none"} ${KEY_AT_IMPORT}`;
        return;
      case "hang":
        ctx.log.info("hanging now");
        for (;;);
      case "block": {
        yield "first";
        const until = Date.now() + 10_000;
        while (!existsSync(ctx.option<string>("extra.until")!) && Date.now() < until);
        yield Date.now() < until ? " last" : " nobody heard it";
        return;
      }
      default:
        throw InvalidRequestError.at("options.extra.do", "is none of what it does");
    }
  }

  override async listVoices() {
    return [{ name: "anna", displayName: "Anna" }, ...this.made];
  }

  override async createVoice(request: CreateVoiceRequest) {
    const voice = { name: `made-${this.made.length}`, displayName: request.displayName };
    this.made.push(voice);
    return voice;
  }

  override async deleteVoice(id: string) {
    this.made = this.made.filter(({ name }) => name !== id);
  }

  override async *pullModel(id: string, { signal }: { signal: AbortSignal }): AsyncGenerator<PullProgress> {
    yield { stage: "download", completedBytes: 1, totalBytes: 2, message: id };
    if (id === "endless") await once(signal, "abort");
    this.stopped += Number(signal.aborted);
    yield { stage: "verify" };
  }

  override async deleteModel(id: string) {
    if (id !== "words") throw InvalidRequestError.at("name", "cannot be removed");
  }

  override async *live(session: Session): AsyncGenerator<Yielded> {
    for await (const piece of session) {
      if ("turn" in piece) yield piece.turn.parts.map((part) => part.text).join("");
      else if ("interrupt" in piece) yield "stopped";
      else if ("respond" in piece) yield "well";
    }
  }
}

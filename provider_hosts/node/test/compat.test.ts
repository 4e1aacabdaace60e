import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Audio, Image, SmartAssetFactory, Text, Video } from "../src/compat/assets.js";
import { capabilitiesOf, discover } from "../src/compat/discovery.js";
import { AbstractDockerProvider, initialised } from "../src/compat/docker.js";
import { translated } from "../src/compat/failures.js";
import { surface } from "../src/compat/index.js";
import * as own from "../src/compat/index.js";
import { Model, MODELS } from "../src/compat/models.js";
import { createGenerationPrompt } from "../src/compat/prompts.js";
import { yieldedOf } from "../src/compat/results.js";
import { Service, useService } from "../src/compat/service.js";
import { Output } from "../src/outputs.js";
import type { MediaConduitError } from "../src/errors.js";

const PNG = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");

async function all(result: unknown): Promise<any[]> {
  const found = [];
  for await (const item of yieldedOf(result)) found.push(item);
  return found;
}

test("texts, arrays, objects and strings become text", async () => {
  const results = [
    "hi",
    new Text("hi"),
    [new Text("h"), "i"],
    { text: "hi" },
    { output: { content: "hi" } },
    { asRole() {}, content: "hi" },
  ];
  for (const result of results)
    assert.equal((await all(result)).filter((item) => typeof item === "string").join(""), "hi");
});

test("media become outputs of their type", async () => {
  for (const [result, type] of [
    [new Image(PNG), "image/png"],
    [new Audio(Buffer.from("RIFF1234WAVE"), undefined, {}), "audio/wav"],
    [new Video(Buffer.from("x"), "webm"), "video/webm"],
    [PNG, "image/png"],
    [{ images: [PNG] }, "image/png"],
  ] as const) {
    const [output] = await all(result);
    assert.ok(output instanceof Output);
    assert.equal(output.mediaType, type);
  }
});

test("a file is read, an address is passed on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "compat-"));
  writeFileSync(join(folder, "a.png"), PNG);
  const [output] = await all({ filePath: join(folder, "a.png") });
  assert.equal(output.mediaType, "image/png");
  const [part] = await all({ url: "https://example.org/a.mp4", mimeType: "video/mp4" });
  assert.deepEqual(part, { part: { asset: { uri: "https://example.org/a.mp4", mediaType: "video/mp4" } } });
  rmSync(folder, { recursive: true });
});

test("an object without output is an error and not an empty answer", async () => {
  await assert.rejects(all({ status: "ok" }), { reason: "VENDOR_PROTOCOL" });
});

test("what was consumed and which model it was is told", async () => {
  const prompt = createGenerationPrompt({
    input: new Text("in"),
    options: {},
    modelId: "m-1",
    provider: "p",
    aiMetadata: { responseId: "r" },
  });
  assert.equal(prompt.input, "in");
  const found = await all(
    new Text("out", "en", 1, { usage: { prompt_tokens: 2, completion_tokens: 3 }, generation_prompt: prompt }),
  );
  assert.deepEqual(found.slice(1), [
    { usage: { units: { "input-token": 2, "output-token": 3 } } },
    { facts: { vendorModel: "m-1", vendorRequestId: "", vendorResponseId: "r" } },
  ]);
});

test("models are found whichever way a provider tells them", async () => {
  const capabilities = ["text-to-text"];
  const ways = [
    { models: [{ id: "a", capabilities }, { name: "no id" }] },
    { models: Promise.resolve([{ id: "a", capabilities: ["TEXT_TO_TEXT"] }]) },
    { models: [], capabilities, getModelsForCapability: async () => [{ id: "a", name: "A" }] },
    { capabilities, getAvailableModels: () => ["a"] },
    { models: new Map([["a", { getId: () => "a", capabilities }]]) },
    { getModel: async () => new MODELS.TextToTextModel!({ id: "a" }), getSupportedModels: () => ["a"] },
  ];
  for (const provider of ways) {
    const found = await discover(provider, {});
    assert.deepEqual(
      found.map(({ id, capabilities }) => [id, capabilities]),
      [["a", ["text-to-text"]]],
    );
  }
  assert.deepEqual(
    (await discover({ capabilities }, { models: [{ id: "b" }] })).map(({ id }) => id),
    ["b"],
  );
});

test("words for capabilities are understood in every spelling", () => {
  assert.deepEqual(capabilitiesOf(["TEXT_TO_TEXT", "TextToText", "speech-to-text", "Text_To_Image", "nonsense", 7]), [
    "text-to-text",
    "audio-to-text",
    "text-to-image",
  ]);
});

test("assets play the roles they have", async () => {
  const text = Text.fromString("words");
  assert.equal(text.asRole(Text), text);
  assert.throws(() => text.asRole(Image));
  assert.equal(new Audio(Buffer.from("x"), undefined, { transcript: "said" }).asRole(Text).content, "said");
  assert.ok(!Text.fromString("  ").isValid());
  const folder = mkdtempSync(join(tmpdir(), "compat-"));
  writeFileSync(join(folder, "a.mp4"), Buffer.from("\0\0\0\x18ftypisom"));
  assert.ok((await SmartAssetFactory.load(join(folder, "a.mp4"))).asRole(Video) instanceof Video);
  rmSync(folder, { recursive: true });
});

test("models leave id, name and capabilities to their subclasses", () => {
  class Mine extends Model {
    id = "mine";
    name = "Mine";
    capabilities = ["text-to-text"];
  }
  const mine = new Mine({ id: "from-metadata", name: "N" });
  assert.deepEqual([mine.id, mine.getId(), mine.getName()], ["mine", "from-metadata", "N"]);
});

test("every name providers import is there", () => {
  const names = [
    "Text",
    "Audio",
    "Image",
    "Video",
    "Model",
    "TextToTextModel",
    "TextToImageModel",
    "TextToAudioModel",
    "TextToVideoModel",
    "MediaCapability",
    "ProviderType",
    "SmartAssetFactory",
    "createGenerationPrompt",
    "extractInputContent",
    "AbstractDockerProvider",
  ];
  const all = surface(own);
  assert.deepEqual(
    names.filter((name) => all[name] === undefined),
    [],
  );
});

test("a Docker provider is initialised after its fields are set, in its order", async () => {
  useService(new Service("http://localhost:1234", "", "cow"));
  class Docker extends AbstractDockerProvider {
    said: string[] = [];
    override getServiceUrl() {
      this.said.push("url");
      return "github:x/y";
    }
    override async onServiceReady() {
      this.said.push(`ready on ${this.dockerServiceManager?.getServiceInfo().ports[0]}`);
    }
    override async onServiceConfigured() {
      this.said.push(`configured ${this.getBaseUrl()}`);
    }
  }
  const docker = new Docker();
  assert.deepEqual(docker.said, []);
  await initialised(docker);
  await docker.configure({});
  assert.deepEqual(docker.said, ["url", "ready on 1234", "configured http://localhost:1234"]);
  useService(undefined);
});

test("a vendor's answer is a typed error, whatever library told of it", () => {
  const cases: [Error, string][] = [
    [Object.assign(new Error("x"), { response: { status: 401 } }), "CREDENTIALS_REJECTED"],
    [Object.assign(new Error("x"), { status: 429, response: { headers: { "retry-after": "7" } } }), "RATE_LIMITED"],
    [new Error("Request failed with status code 500"), "VENDOR_UNAVAILABLE"],
    [new Error("API error (422): no"), "INPUT_INVALID"],
    [new Error("connect ECONNREFUSED 127.0.0.1:80"), "VENDOR_UNAVAILABLE"],
    [Object.assign(new TypeError("fetch failed"), { cause: { code: "ENOTFOUND" } }), "VENDOR_UNAVAILABLE"],
  ];
  for (const [error, reason] of cases) assert.equal((translated(error) as MediaConduitError).reason, reason);
  const other = new Error("undefined is not a function at line 500");
  assert.equal(translated(other), other);
});

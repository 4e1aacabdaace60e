import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import {
  FinishReason,
  MediaConduitError,
  Output,
  Provider,
  Role,
  type Call,
  type Input,
  type Yielded,
} from "@mediaconduit/provider";
import { serve } from "@mediaconduit/provider/testing";

class Words extends Provider {
  override models = [
    {
      id: "default",
      capabilities: ["text-to-text"],
      options: { "text.temperature": { type: "number", maximum: 1 }, extra: { type: "object" } },
    },
    {
      id: "picture",
      capabilities: ["image-to-text", "text-to-text"],
      inputs: [{ name: "mask", mediaTypes: ["image/*"] }],
    },
  ];
  override maxConcurrency = 2;
  aborted = 0;

  constructor(
    private readonly say: (input: Input, call: Call) => AsyncIterable<Yielded> | Iterable<Yielded> | Yielded,
  ) {
    super();
  }

  override transform(input: Input, call: Call) {
    call.signal.addEventListener("abort", () => (this.aborted += 1));
    return this.say(input, call);
  }
}

async function served<T>(
  say: ConstructorParameters<typeof Words>[0],
  work: (at: Awaited<ReturnType<typeof serve>>, provider: Words) => Promise<T>,
) {
  const provider = new Words(say);
  const at = await serve(provider);
  try {
    return await work(at, provider);
  } finally {
    await at.close();
  }
}

test("a plain value, a list and a plain generator are outputs, too", async () => {
  const gives: [() => Yielded | Iterable<Yielded>, string][] = [
    [() => "one", "one"],
    [() => ["a", "b"], "ab"],
    [
      function* () {
        yield "x";
        yield "y";
      },
      "xy",
    ],
  ];
  for (const [give, expected] of gives) {
    await served(give, async (at) => assert.equal((await at.model("default").transform("in")).text, expected));
  }
});

test("outputs are numbered, completed once, and data is hashed", async () => {
  async function* say(): AsyncGenerator<Yielded> {
    const [left, right] = [new Output("text/plain"), new Output("text/plain", { candidate: 1 })];
    yield left.text("l");
    yield right.text("r");
    yield left.text("l");
    yield right.done();
    yield { file: { path: new URL(import.meta.url).pathname, mediaType: "text/javascript", name: "source" } };
    yield Buffer.from("abc");
  }
  await served(say, async (at) => {
    const { outputs, events } = await at.model("default").transform("in");
    assert.deepEqual(
      outputs.map(({ text }) => text),
      ["ll", "r", "", ""],
    );
    assert.deepEqual(
      outputs.map(({ started }) => started.index),
      [0, 1, 2, 3],
    );
    const completions = events.flatMap(({ outputCompleted }) => outputCompleted ?? []);
    assert.deepEqual(completions.map(({ index }) => index).sort(), [0, 1, 2, 3]);
    const last = completions.find(({ index }) => index === 3);
    assert.equal(last?.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert.deepEqual(
      events.map(({ sequence }) => sequence),
      events.map((_, at) => at + 1),
    );
  });
});

test("plain text after reasoning or a tool call is a new output", async () => {
  const said: Yielded[] = [
    "a",
    { reasoning: { text: "hm" } },
    "b",
    { toolCall: { id: "1", name: "t", arguments: "{}" } },
    "c",
  ];
  await served(
    () => said,
    async (at) => {
      const { outputs, completed } = await at.model("default").transform("in");
      assert.deepEqual(
        outputs.map(({ text }) => text),
        ["a", "hm", "b", "{}", "c"],
      );
      assert.equal(completed.finishes[0]?.reason, FinishReason.STOP);
    },
  );
});

test("the input is the last turn, the system turns are apart", async () => {
  await served(
    (input, call) => `${input.text}|${call.system}|${call.turns.length}`,
    async (at) => {
      const turns = [
        { role: Role.SYSTEM, parts: [{ text: "be kind" }] },
        { role: Role.USER, parts: [{ text: "before" }] },
        { role: Role.ASSISTANT, parts: [{ text: "yes" }] },
      ];
      assert.equal((await at.model("default").transform("now", { turns })).text, "now|be kind|4");
    },
  );
});

test("the capability follows from the input", async () => {
  await served(
    (_, call) => call.capability,
    async (at) => {
      const picture = at.model("picture");
      assert.equal((await picture.transform({ data: Buffer.from("x"), mediaType: "image/png" })).text, "image-to-text");
      assert.equal((await picture.transform("x")).text, "text-to-text");
    },
  );
});

test("a wrong input names its field", async () => {
  await served(
    () => "",
    async (at) => {
      const parts = [
        { text: "x" },
        { name: "mask", data: Buffer.from("x"), mediaType: "audio/wav" },
        { name: "hat", text: "x" },
      ];
      await assert.rejects(at.model("picture").transform(parts), (error: MediaConduitError) => {
        assert.equal(error.reason, "INPUT_INVALID");
        assert.deepEqual(
          error.fields.map(({ field }) => field),
          ["turns[0].parts[1].media_type", "turns[0].parts[2].name"],
        );
        return true;
      });
    },
  );
});

test("what nobody may yield is an error without its text", async () => {
  await served(
    () => [{ secret: "x" } as unknown as Yielded],
    async (at) => {
      await assert.rejects(at.model("default").transform("in"), (error: MediaConduitError) => {
        assert.equal(error.reason, "INTERNAL");
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    },
  );
});

test("one call more than there are places is refused, and a place that is free is given", async () => {
  let release = () => {};
  const wait = new Promise<void>((resolve) => (release = resolve));
  async function* say(): AsyncGenerator<Yielded> {
    yield "x";
    await wait;
  }
  await served(say, async (at) => {
    const calls = [at.model("default").stream("a"), at.model("default").stream("b")];
    await Promise.all(calls.map((call) => call.next()));
    await assert.rejects(at.model("default").transform("c"), { reason: "OVERLOADED" });
    release();
    for (const call of calls) for await (const _ of call);
    assert.equal((await at.model("default").transform("d")).text, "x");
  });
});

test("leaving a stream aborts the signal once and runs the generator's finally", async () => {
  const left = new EventTarget();
  const ended = once(left, "left");
  async function* say(_: Input, call: Call): AsyncGenerator<Yielded> {
    try {
      for (;;) {
        yield "x";
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      if (call.signal.aborted) left.dispatchEvent(new Event("left"));
    }
  }
  await served(say, async (at, provider) => {
    for await (const event of at.model("default").stream("in")) if (event.outputDelta) break;
    await ended;
    assert.equal(provider.aborted, 1);
  });
});

test("a reader that stops is not run ahead of without bound", async () => {
  let made = 0;
  async function* say(): AsyncGenerator<Yielded> {
    for (; made < 500; made++) yield Buffer.alloc(100_000);
  }
  await served(say, async (at) => {
    const stream = at.model("default").stream("in");
    for (let event = await stream.next(); !event.value?.outputDelta;) event = await stream.next();
    for (let before = -1; before !== made;) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(made < 100, `${made} of 500 were made`);
    await stream.return(undefined);
  });
});

test("a call that is left is metered, and its record says so", async () => {
  const counted = new EventTarget();
  const asked = once(counted, "asked");
  async function* say(_: Input, call: Call): AsyncGenerator<Yielded> {
    call.meter(() => {
      counted.dispatchEvent(new Event("asked"));
      return { units: { character: call.left ? 5 : 0 } };
    });
    yield "x";
    await once(call.signal, "abort");
  }
  await served(say, async (at) => {
    for await (const event of at.model("default").stream("in")) if (event.outputDelta) break;
    await asked;
  });
});

test("a vendor may serve more than it lists", async () => {
  const provider = new Words((_, call) => call.model.displayName ?? "");
  provider.findModel = async (id) =>
    id.startsWith("new/") ? { id, displayName: "Found", capabilities: ["text-to-text"] } : undefined;
  const at = await serve(provider);
  try {
    assert.equal((await at.model("new/one").transform("x")).text, "Found");
    await assert.rejects(at.model("old").transform("x"), { reason: "MODEL_NOT_FOUND" });
  } finally {
    await at.close();
  }
});

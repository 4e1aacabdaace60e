import { setTimeout as sleep } from "node:timers/promises";
import { Provider, type Input, type Yielded } from "@mediaconduit/provider";

/** `paced`: the text of a call is "COUNT SECONDS", events and the pause before each. */
export default class Noded extends Provider {
  override models = [{ id: "paced", capabilities: ["text-to-text"] }];
  override maxConcurrency = 10_000;

  override async *transform(input: Input): AsyncGenerator<Yielded> {
    const [count = 0, seconds = 0] = input.text.split(" ").map(Number);
    for (let at = 0; at < count; at++) {
      if (seconds) await sleep(seconds * 1000);
      yield "token ";
    }
  }
}

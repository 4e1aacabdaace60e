import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { Calls } from "../src/host/concurrency.js";
import type { Run } from "../src/host/run.js";

function running(): { run: Run; end: () => void } {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { run: { main: () => ended, onLeave: undefined } as unknown as Run, end };
}

test("a call that was left and goes on is stuck until it ends", async () => {
  const calls = new Calls(() => 1, 0);
  const { run, end } = running();
  calls.start(run, () => {});
  run.onLeave?.();
  await after(2);
  assert.deepEqual([calls.active, calls.stuck], [1, 1]);
  assert.throws(() => calls.check(), { reason: "OVERLOADED" });
  end();
  await calls.drained();
  assert.deepEqual([calls.active, calls.stuck], [0, 0]);
});

test("a call that is left after its end is not stuck", async () => {
  const calls = new Calls(() => 1, 0);
  const { run, end } = running();
  calls.start(run, () => {});
  end();
  await calls.drained();
  run.onLeave?.();
  await after(2);
  assert.deepEqual([calls.active, calls.stuck], [0, 0]);
});

// Runs test/*.test.ts with node:test, against the package as it is built.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { build } from "esbuild";

spawnSync(process.execPath, ["tools/build.mjs", "--no-types"], { stdio: "inherit" });
rmSync(".test", { recursive: true, force: true });
mkdirSync(".test/node_modules/@mediaconduit", { recursive: true });
symlinkSync("../../..", ".test/node_modules/@mediaconduit/provider");
const files = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
await build({
  entryPoints: files.map((name) => `test/${name}`),
  outdir: ".test",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  outExtension: { ".js": ".mjs" },
  external: ["@mediaconduit/*"],
  sourcemap: "inline",
  logLevel: "warning",
});
const only = process.argv.slice(2);
const made = files
  .map((name) => `.test/${name.replace(/ts$/, "mjs")}`)
  .filter((name) => only.every((part) => name.includes(part)));
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...made], { stdio: "inherit" });
rmSync(".test", { recursive: true, force: true });
process.exit(status ?? 1);

// Builds dist/: one CommonJS file that `import` and `require` share, small files around it, and the types.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { build } from "esbuild";

const types = !process.argv.includes("--no-types");
rmSync("dist", { recursive: true, force: true });
mkdirSync("dist/tools", { recursive: true });
const shared = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  logLevel: "warning",
  legalComments: "none",
};
await build({
  ...shared,
  entryPoints: { index: "src/bundle.ts" },
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: false,
});
await build({
  ...shared,
  entryPoints: { transpile: "src/tools/transpile.ts" },
  outdir: "dist/tools",
  outExtension: { ".js": ".cjs" },
  define: { WASM: "false" },
  logOverride: { "require-resolve-not-external": "silent" },
});
writeFileSync(
  "dist/main.cjs",
  '#!/usr/bin/env node\n"use strict";\nrequire("./index.cjs").internal.main(process.argv.slice(2), process.env, __dirname);\n',
  { mode: 0o755 },
);
// Importing CommonJS has Node look through all of it for its exports: 15 MB. So they are named.
const names = Object.keys(createRequire(import.meta.url)("../dist/index.cjs")).filter((name) => name !== "internal");
const required = (file) =>
  `import { createRequire } from "node:module";\nconst all = createRequire(import.meta.url)("${file}");\n`;
writeFileSync(
  "dist/index.mjs",
  required("./index.cjs") + names.map((name) => `export const ${name} = all.${name};\n`).join(""),
);
writeFileSync("dist/testing.mjs", `${required("./testing.cjs")}export const serve = all.serve;\n`);
writeFileSync("dist/testing.cjs", '"use strict";\nexports.serve = require("./index.cjs").internal.serve;\n');
copyFileSync("src/generated/descriptors.binpb", "dist/descriptors.binpb");
if (types) execFileSync("node_modules/.bin/tsc", ["--emitDeclarationOnly", "--declaration"], { stdio: "inherit" });

/**
 * Turns a provider's TypeScript into one file that Node runs: `node transpile.cjs '{"entry": …}'` in the repository's
 * copy. Its own files go into it, packages stay imports. The broker runs this while it builds an environment.
 *
 * Bundling gives what TypeScript authors are used to and Node does not have: imports without extension, `paths` of
 * tsconfig.json, JSON. `__dirname`, `__filename` and `import.meta` stay those of the file they stand in.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join, relative, resolve } from "node:path";
import type { BuildOptions, Loader, Plugin } from "esbuild";

interface Wanted {
  /** File of the entry, relative to here. */
  entry: string;
  /** Written for the original system: CommonJS, and relative imports of deleted files are empty. */
  original: boolean;
  /** esbuild's binary. */
  esbuild: string;
}

const OUT = ".mediaconduit";
const LOADERS: Record<string, Loader> = { ".ts": "ts", ".mts": "ts", ".cts": "ts", ".tsx": "tsx", ".jsx": "jsx" };
const OF_A_FILE = /\b__dirname\b|\b__filename\b|\bimport\.meta\.(url|dirname|filename)\b/;

const wanted = JSON.parse(process.argv[2] ?? "{}") as Wanted;
process.env.ESBUILD_BINARY_PATH = wanted.esbuild;
// Loaded after the variable is set: it looks for its binary at once.
const esbuild = require("esbuild") as typeof import("esbuild");

const root = process.cwd();
const format = wanted.original ? "cjs" : formatOf(resolve(wanted.entry));
const plugins: Plugin[] = [ownPlace(root)];
if (wanted.original) plugins.unshift(emptyWhereDeleted());

const options: BuildOptions = {
  entryPoints: { provider: wanted.entry },
  outdir: OUT,
  outExtension: { ".js": format === "cjs" ? ".cjs" : ".mjs" },
  bundle: true,
  platform: "node",
  packages: "external",
  format,
  target: format === "cjs" ? "es2020" : "es2022",
  supported: { "dynamic-import": true },
  sourcemap: "linked",
  keepNames: true,
  logLevel: "error",
  logLimit: 20,
  color: false,
  plugins,
  define: {
    __dirname: "__mc_dirname",
    __filename: "__mc_filename",
    "import.meta.dirname": "__mc_dirname",
    "import.meta.filename": "__mc_filename",
    "import.meta.url": "__mc_url",
  },
  banner: { js: bannerOf(format) },
};

void run();

async function run(): Promise<void> {
  try {
    await esbuild.build(options);
  } catch {
    // esbuild has said why.
    process.exitCode = 1;
  } finally {
    await esbuild.stop();
    await childrenGone();
  }
}

/** esbuild's process ends on its own after `stop`. Whoever started us is not to find it among its children. */
async function childrenGone(): Promise<void> {
  const file = `/proc/${process.pid}/task/${process.pid}/children`;
  for (let round = 0; round < 200 && existsSync(file) && readFileSync(file, "utf8").trim(); round++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What Node would take a file for. TypeScript without a word on it is CommonJS, as package.json has it. */
function formatOf(file: string): "cjs" | "esm" {
  const extension = extname(file);
  if (extension === ".mts" || extension === ".mjs") return "esm";
  if (extension === ".cts" || extension === ".cjs") return "cjs";
  for (let folder = dirname(file); folder.startsWith(root); folder = dirname(folder)) {
    const path = join(folder, "package.json");
    if (!existsSync(path)) continue;
    return (JSON.parse(readFileSync(path, "utf8")) as { type?: string }).type === "module" ? "esm" : "cjs";
  }
  // A provider of one file and a manifest: what is written today.
  return "esm";
}

function bannerOf(kind: "cjs" | "esm"): string {
  if (kind === "cjs") {
    return 'const __mc_base=__dirname,__mc_path=require("node:path"),__mc_link=require("node:url").pathToFileURL;';
  }
  return (
    'import __mc_path from "node:path";import {fileURLToPath as __mc_local,pathToFileURL as __mc_link} from "node:url";' +
    'import {createRequire as __mc_require} from "node:module";const require=__mc_require(import.meta.url);' +
    "const __mc_base=__mc_path.dirname(__mc_local(import.meta.url));"
  );
}

/** Keeps `__dirname` and its like what they are in the source: the environment holds the sources at their places. */
function ownPlace(top: string): Plugin {
  return {
    name: "own place",
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, ({ path }) => {
        const source = readFileSync(path, "utf8");
        if (!path.startsWith(top) || !OF_A_FILE.test(source)) return undefined;
        const inside = JSON.stringify(relative(join(top, OUT), path));
        const place =
          `const __mc_filename=__mc_path.join(__mc_base,${inside}),__mc_dirname=__mc_path.dirname(__mc_filename),` +
          "__mc_url=__mc_link(__mc_filename).href;";
        return { contents: place + source, loader: LOADERS[extname(path)] ?? "js", resolveDir: dirname(path) };
      });
    },
  };
}

/** Relative imports of files that are not there give an empty module: only types were ever in them. */
function emptyWhereDeleted(): Plugin {
  return {
    name: "empty where deleted",
    setup(build) {
      build.onResolve({ filter: /^\.\.?(\/|$)/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
        if (pluginData === "asked") return undefined;
        const found = await build.resolve(path, { importer, resolveDir, kind, pluginData: "asked" });
        if (!found.errors.length) return found;
        return { path, namespace: "deleted" };
      });
      build.onLoad({ filter: /.*/, namespace: "deleted" }, () => ({ contents: "module.exports = {};", loader: "js" }));
    },
  };
}

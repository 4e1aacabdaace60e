/** From the entry of a manifest to a provider. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Provider } from "../provider.js";

/** The entry does not lead to a provider; the message says what to change. */
export class EntryError extends Error {}

type Exports = Record<string, unknown>;
/** Makes a provider of an exported class that is none of ours; undefined when it cannot. */
export type Adapter = (exported: unknown, exports: Exports) => Promise<Provider | undefined>;

let adapter: Adapter | undefined;

/** Says who is asked about classes that do not extend `Provider`. */
export function useAdapter(given: Adapter): void {
  adapter = given;
}

/** Imports and constructs the provider of an entry "file" or "file:Export". Rejects with `EntryError`. */
export async function load(entry: string): Promise<Provider> {
  const [file, name] = splitEntry(entry);
  const exports = await imported(file);
  const found = name ? exports[name] : preferred(exports);
  if (name && found === undefined) throw new EntryError(`${shown(file)} has no export ${name}`);
  try {
    if (isProviderClass(found)) return new found();
    const adapted = await adapter?.(found, exports);
    if (adapted) return adapted;
  } catch (error) {
    throw new EntryError(`the provider of ${shown(file)} could not be constructed: ${textOf(error)}`, { cause: error });
  }
  throw new EntryError(
    `${shown(file)} exports no class that extends Provider of @mediaconduit/provider; make it the default export`,
  );
}

/** "file:Export" in its two parts. */
export function splitEntry(entry: string): [string, string] {
  const match = /^(.*):([A-Za-z_$][\w$]*)$/.exec(entry);
  return match ? [match[1]!, match[2]!] : [entry, ""];
}

async function imported(file: string): Promise<Exports> {
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as Exports;
  } catch (error) {
    throw new EntryError(`${shown(file)} could not be imported: ${textOf(error)}`, { cause: error });
  }
}

/** The default export (of CommonJS it is one deeper), else the only provider among the exports. */
function preferred(exports: Exports): unknown {
  const first = exports.default as Exports | undefined;
  const inner = first && typeof first === "object" && "default" in first ? first.default : first;
  if (typeof inner === "function" || (inner && inner !== exports["module.exports"] && !isNamespace(inner)))
    return inner;
  const classes = Object.values({ ...(isNamespace(inner) ? (inner as Exports) : {}), ...exports });
  const providers = [...new Set(classes.filter(isProviderClass))];
  return providers.length === 1 ? providers[0] : (inner ?? exports);
}

function isProviderClass(value: unknown): value is new () => Provider {
  return typeof value === "function" && value.prototype instanceof Provider;
}

function isNamespace(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function shown(file: string): string {
  return file.split(/[\\/]/).slice(-2).join("/");
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

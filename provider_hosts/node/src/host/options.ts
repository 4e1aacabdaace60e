/** Which options a model takes, and whether those of a request are among them and in range. */
import { InvalidRequestError, type FieldViolation } from "../errors.js";
import type { Notice } from "../generated/mediaconduit/v1/events.js";
import { TransformOptions } from "../generated/mediaconduit/v1/options.js";
import type { Model, Schema } from "../provider.js";
import { camel, plainOptions } from "./plain.js";
import { Checker } from "./schemas.js";
import { SHARED } from "../generated/sharedOptions.js";

/** Fields of TransformOptions that are not options of a model. */
const FOR_THE_HOST = new Set(["lenient", "outputs_by_reference", "output_media_types"]);

type Values = Record<string, any>;

/** What came of checking a request's options. */
export interface Checked {
  options: TransformOptions;
  /** The same as plain values. */
  values: Values;
  /** Of those that were dropped. */
  notices: Notice[];
}

/** The options of one model. Throws `TypeError` for a path that no option has. */
export class OptionsSchema {
  readonly #declared: Readonly<Record<string, Schema>>;
  readonly #groups = new Set<string>();
  #checker: Checker | undefined;

  constructor(model: Model) {
    this.#declared = model.options ?? {};
    for (const path of Object.keys(this.#declared)) {
      if (!path.startsWith("extra.") && path !== "extra" && !SHARED.has(path)) {
        throw new TypeError(`model ${model.id}: there is no shared option ${path}; its own begin with "extra."`);
      }
      const steps = path.split(".");
      for (let depth = 1; depth < steps.length; depth++) this.#groups.add(steps.slice(0, depth).join("."));
    }
    const both = Object.keys(this.#declared).filter((path) => this.#groups.has(path));
    if (both.length)
      throw new TypeError(`model ${model.id}: options ${both.join(", ")} are declared whole and in parts`);
  }

  /** The JSON Schema of all options. */
  get document(): Schema {
    const root: Values = group();
    for (const [path, schema] of Object.entries(this.#declared)) {
      const groups = path.split(".");
      const name = groups.pop()!;
      let node = root;
      for (const step of groups) node = node.properties[step] ??= group();
      node.properties[name] = schema;
    }
    return root;
  }

  /** What the schema says an absent option means. */
  defaultOf(path: string): unknown {
    return this.#declared[path]?.default;
  }

  /** Throws `InvalidRequestError` naming every option the model does not have or whose value it does not take. */
  check(options: TransformOptions): Checked {
    const values: Values = {};
    for (const [name, value] of Object.entries(plainOptions(options))) {
      if (!FOR_THE_HOST.has(name) && !(name === "candidates" && value === 1)) values[name] = value;
    }
    const unknown = [...this.#unknown(values, "")];
    if (unknown.length && !options.lenient) {
      throw refusal(unknown.map((path) => ({ field: `options.${path}`, description: this.#notHad() })));
    }
    if (unknown.length) {
      options = TransformOptions.decode(TransformOptions.encode(options).finish());
      for (const path of unknown) {
        drop(options, path.split("."), camel);
        drop(values, path.split("."), (name) => name);
      }
    }
    this.#prune(values, "");
    if (Object.keys(values).length) {
      this.#checker ??= new Checker(this.document);
      const violations = this.#checker.violations(values, "options");
      if (violations.length) throw refusal(violations);
    }
    return { options, values, notices: unknown.map(dropped) };
  }

  *#unknown(values: Values, prefix: string): Generator<string> {
    for (const [name, value] of Object.entries(values)) {
      const path = prefix + name;
      if (path in this.#declared) continue;
      if (!this.#groups.has(path)) yield* leaves(value, path);
      else if (isGroup(value)) yield* this.#unknown(value, `${path}.`);
    }
  }

  /** Takes out groups that hold nothing: absent and empty are the same. */
  #prune(values: Values, prefix: string): void {
    for (const [name, value] of Object.entries(values)) {
      if (prefix + name in this.#declared || !isGroup(value)) continue;
      this.#prune(value, `${prefix}${name}.`);
      if (!Object.keys(value).length) delete values[name];
    }
  }

  #notHad(): string {
    const names = Object.keys(this.#declared).sort();
    if (!names.length) return "the model has no options";
    return `the model does not have this option; it has ${names.join(", ")}`;
  }
}

/** The value at a path; undefined when absent. */
export function optionAt(values: Values, path: string): any {
  let node: any = values;
  for (const step of path.split(".")) {
    if (!isGroup(node) || !Object.hasOwn(node, step)) return undefined;
    node = node[step];
  }
  return node ?? undefined;
}

function group(): Values {
  return { type: "object", properties: {}, additionalProperties: false };
}

function isGroup(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function* leaves(value: unknown, path: string): Generator<string> {
  if (isGroup(value) && !path.includes(".")) {
    for (const [name, inner] of Object.entries(value)) yield* leaves(inner, `${path}.${name}`);
  } else yield path;
}

function drop(values: any, path: string[], named: (name: string) => string): void {
  const name = path.pop()!;
  let node = values;
  for (const [depth, step] of path.entries()) {
    // Below "extra" names are the author's.
    node = node[path[0] === "extra" && depth > 0 ? step : named(step)];
  }
  const own = path[0] === "extra" ? name : named(name);
  const value = node[own];
  if (typeof value === "string") node[own] = "";
  else if (Array.isArray(value)) node[own] = [];
  else delete node[own];
}

function refusal(fields: FieldViolation[]): InvalidRequestError {
  const first = fields[0]!;
  const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : "";
  return new InvalidRequestError(`${first.field}: ${first.description}${more}`, {
    fields,
    hint: "GetModel gives the schema of the options; lenient drops options that a model does not have",
  });
}

function dropped(path: string): Notice {
  return { code: "OPTION_DROPPED", message: `the model does not have options.${path}; it was dropped` };
}

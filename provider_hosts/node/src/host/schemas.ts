/** JSON Schema, with mistakes told as fields of a request. */
import type { ErrorObject, ValidateFunction } from "ajv";
import type { FieldViolation } from "../errors.js";
import type { Schema } from "../provider.js";

const LIMITS: readonly [string, string][] = [
  ["minimum", "at least {}"],
  ["exclusiveMinimum", "more than {}"],
  ["maximum", "at most {}"],
  ["exclusiveMaximum", "less than {}"],
  ["multipleOf", "a multiple of {}"],
  ["minLength", "at least {} characters"],
  ["maxLength", "at most {} characters"],
  ["minItems", "at least {} items"],
  ["maxItems", "at most {} items"],
  ["pattern", "matching {}"],
];

/** Checks values against one schema. Messages never hold the values. */
export class Checker {
  readonly #validate: ValidateFunction;

  constructor(schema: Schema) {
    // Loaded when it is needed: 20 ms and 4 MB that a provider without options does not pay.
    const { Ajv2020 } = require("ajv/dist/2020") as typeof import("ajv/dist/2020.js");
    this.#validate = new Ajv2020({ allErrors: true, strict: false, verbose: true, logger: false }).compile(schema);
  }

  /** Every mistake, with its path below `root` and what is allowed there. */
  violations(values: unknown, root: string): FieldViolation[] {
    if (this.#validate(values)) return [];
    return (this.#validate.errors ?? []).map((error) => ({
      field: pathOf(root, error.instancePath, values),
      description: describeError(error).slice(0, 400),
    }));
  }
}

function describeError(error: ErrorObject): string {
  const names = error.params as Record<string, unknown>;
  let text = error.message ?? "is not valid";
  if (error.keyword === "additionalProperties") text = `${JSON.stringify(names.additionalProperty)} is unexpected here`;
  const allowed = describeSchema(error.parentSchema);
  return allowed ? `${text}; allowed: ${allowed}` : text;
}

/** "options.audio.speakers[0].name" from a JSON pointer. */
function pathOf(root: string, pointer: string, values: unknown): string {
  let path = root;
  let node: any = values;
  for (const step of pointer.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    path += Array.isArray(node) ? `[${name}]` : `.${name}`;
    node = node?.[name];
  }
  return path;
}

/** What a schema of one value allows, in words; empty when there is nothing short to say. */
function describeSchema(schema: unknown): string {
  if (typeof schema !== "object" || schema === null || "properties" in schema) return "";
  const known = schema as Record<string, any>;
  if (Array.isArray(known.enum)) return `one of ${known.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  const limits: string[] = [];
  const between = "minimum" in known && "maximum" in known;
  if (between) limits.push(`from ${known.minimum} to ${known.maximum}`);
  for (const [name, text] of LIMITS) {
    if (name in known && !(between && (name === "minimum" || name === "maximum"))) {
      limits.push(text.replace("{}", String(known[name])));
    }
  }
  return [typeof known.type === "string" ? known.type : "", limits.join(", ")].filter(Boolean).join(" ");
}

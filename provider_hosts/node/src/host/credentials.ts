/** Variables that Configure brings: set in this process alone, where code expects them. */
import { InvalidRequestError, PreconditionError, rewritten, type MediaConduitError } from "../errors.js";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const OURS = "MEDIACONDUIT_";
/** Characters a value must have to be taken out of an error. */
const SHORTEST = 4;

type Secrets = Readonly<Record<string, string>>;

/** The keys a provider was given. Their values appear in no message. */
export class Credentials {
  /** What the variables set here were before. */
  readonly #before = new Map<string, string | undefined>();
  #given: Secrets = {};

  constructor(
    private readonly names: readonly string[],
    private readonly environ: NodeJS.ProcessEnv = process.env,
  ) {}

  /** Throws `InvalidRequestError` for names that no variable can have, and values. */
  check(secrets: Secrets): void {
    const fields = Object.entries(secrets).flatMap(([name, value]) => {
      const description = odd(name, value);
      return description ? [{ field: `secrets.${name}`, description }] : [];
    });
    if (fields.length) throw new InvalidRequestError("the secrets are not valid", { fields });
  }

  /** Sets these, unsets those of an earlier time that are left out, and gives the earlier ones. */
  put(secrets: Secrets): Secrets {
    this.check(secrets);
    const earlier = this.#given;
    this.#given = { ...secrets };
    for (const name of Object.keys(earlier)) {
      if (name in secrets) continue;
      const before = this.#before.get(name);
      this.#before.delete(name);
      if (before === undefined) delete this.environ[name];
      else this.environ[name] = before;
    }
    for (const [name, value] of Object.entries(secrets)) {
      if (!this.#before.has(name)) this.#before.set(name, this.environ[name]);
      this.environ[name] = value;
    }
    return earlier;
  }

  /** The error without the values given here: vendors quote the key they refuse, and authors quote vendors. */
  clean<E extends MediaConduitError>(error: E): MediaConduitError {
    const values = Object.values(this.#given).filter((value) => value.length >= SHORTEST);
    if (!values.length) return error;
    values.sort((a, b) => b.length - a.length);
    return rewritten(error, (text) => values.reduce((known, value) => known.replaceAll(value, "***"), text));
  }

  /** Throws `PreconditionError` when one that is needed is missing. */
  require(): void {
    const missing = this.names.filter((name) => !this.environ[name]);
    if (!missing.length) return;
    throw new PreconditionError(`the provider needs ${missing.join(" and ")}, which it was not given`, {
      reason: "CREDENTIALS_MISSING",
      metadata: { variable: missing.join(",") },
      hint: `put ${missing[0]} where the broker looks for secrets, and refresh the provider`,
    });
  }
}

/** The names in a list with commas. Throws `TypeError` for one that no variable can have. */
export function namesOf(text: string): string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  for (const name of names) if (odd(name, "")) throw new TypeError(`${name} cannot be the name of a secret`);
  return names;
}

function odd(name: string, value: string): string {
  if (!NAME.test(name) || name.startsWith(OURS)) {
    return `is not the name of a variable; letters, digits and _ are, but for those that begin with ${OURS}`;
  }
  return value.includes("\0") ? "holds a zero byte" : "";
}

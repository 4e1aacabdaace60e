/** Where log lines go: stderr, one line per record. */
import { inspect } from "node:util";

const PRIORITY = { ERROR: "<3>", WARNING: "<4>", INFO: "<6>", DEBUG: "<7>" } as const;
let prefixed = false;

/** Whether lines begin with the priority that journald and the broker read. */
export function configureLogs(withPrefix: boolean): void {
  prefixed = withPrefix;
}

/** Writes a record. `cause` follows, with its stack, in the same line. */
export function log(level: keyof typeof PRIORITY, message: string, cause?: unknown): void {
  const more = cause === undefined ? "" : `\n${cause instanceof Error ? traceOf(cause) : inspect(cause)}`;
  const line = `${level} mediaconduit_provider: ${message}${more}`.replaceAll("\r", "").replaceAll("\n", "\\n");
  process.stderr.write(`${prefixed ? PRIORITY[level] : ""}${line}\n`);
}

/** The stack of an error and of what caused it. Its other properties may hold requests with keys in them. */
function traceOf(error: Error): string {
  const own = error.stack ?? String(error);
  return error.cause instanceof Error ? `${own}\ncaused by ${traceOf(error.cause)}` : own;
}

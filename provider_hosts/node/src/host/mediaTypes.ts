/** Compares IANA media types, with their parameters. */

/** Type and subtype, in lower case. */
export function baseOf(mediaType: string): string {
  return mediaType.split(";", 1)[0]!.trim().toLowerCase();
}

/** Whether a media type fits a pattern ("audio/*", "audio/L16; rate=24000"). A parameter counts where both name it. */
export function matches(pattern: string, mediaType: string): boolean {
  const wanted = baseOf(pattern);
  const given = baseOf(mediaType);
  const wild = wanted === "*" || wanted === "*/*" || (wanted.endsWith("/*") && given.startsWith(wanted.slice(0, -1)));
  if (!wild && wanted !== given) return false;
  if (!mediaType.includes(";")) return true;
  const have = parametersOf(mediaType);
  return [...parametersOf(pattern)].every(([name, value]) => (have.get(name) ?? value) === value);
}

/** Whether content of that type is text to us: "text/*" and JSON. */
export function isText(mediaType: string): boolean {
  const base = baseOf(mediaType);
  return base.startsWith("text/") || base === "application/json" || base.endsWith("+json");
}

function parametersOf(mediaType: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const piece of mediaType.split(";").slice(1)) {
    const [name = "", value = ""] = piece.split("=", 2).map((side) => side.trim());
    if (name) found.set(name.toLowerCase(), value.replace(/^"|"$/g, "").toLowerCase());
  }
  return found;
}

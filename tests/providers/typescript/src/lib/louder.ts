import { readFileSync } from "node:fs";
import ms from "ms";
import words from "./words.json";

export interface Loud {
  text: string;
}

const beside = JSON.parse(readFileSync(new URL("./words.json", import.meta.url), "utf8")) as typeof words;

export function louder(text: string): Loud {
  return { text: `${text.toUpperCase()}${words.end}${beside.end} ${ms(1000)}` };
}

export function fail(): never {
  throw new Error("the cow has left"); // line 16
}

/**
 * Media of the original system: what its providers are given and give back.
 *
 * An asset plays the roles it can (`asRole(Text)`); sizes are in bytes, durations in seconds.
 */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";

export type Facts = Record<string, any>;
type Role<T> = abstract new (...args: any[]) => T;

/** What all media have in common. */
abstract class Asset {
  abstract readonly metadata: Facts;
  abstract isValid(): boolean;
  protected abstract readonly kind: string;

  /** This asset in a role. Throws for one it cannot play. */
  asRole<T>(role: Role<T>): T {
    if (this instanceof (role as unknown as new () => T & object)) return this as unknown as T;
    if (role === (Text as unknown) && this.text !== undefined) return Text.fromString(this.text) as unknown as T;
    throw new Error(`${this.kind} cannot be used as ${role.name}`);
  }

  canPlayRole(role: Role<unknown>): boolean {
    try {
      this.asRole(role);
      return true;
    } catch {
      return false;
    }
  }

  getType(): string {
    return this.kind;
  }

  getMetadata(): Facts {
    return this.metadata;
  }

  /** Its text, where it has one. */
  protected get text(): string | undefined {
    return undefined;
  }
}

/** Words. */
export class Text extends Asset {
  protected readonly kind = "text";

  constructor(
    public content: string,
    public language: string = "auto",
    public confidence: number = 1,
    public metadata: Facts = {},
    public sourceAsset?: unknown,
  ) {
    super();
  }

  static fromString(
    content: string,
    language?: string,
    confidence?: number,
    metadata?: Facts,
    sourceAsset?: unknown,
  ): Text {
    return new Text(content, language, confidence, metadata, sourceAsset);
  }

  isValid(): boolean {
    return typeof this.content === "string" && this.content.trim().length > 0;
  }

  async asText(): Promise<Text> {
    return this;
  }

  getTextMetadata(): Facts {
    return { language: this.language, confidence: this.confidence, length: this.getLength(), ...this.metadata };
  }

  getLength(): number {
    return this.content.length;
  }

  getWordCount(): number {
    return this.content.split(/\s+/).filter(Boolean).length;
  }

  isEmpty(): boolean {
    return !this.isValid();
  }

  override toString(): string {
    return this.content;
  }
}

/** What is held as bytes. */
abstract class Binary extends Asset {
  abstract data: Buffer;

  isValid(): boolean {
    return Buffer.isBuffer(this.data) && this.data.length > 0;
  }

  getSize(): number {
    return this.data.length;
  }

  getHumanSize(): string {
    const units = ["B", "KB", "MB", "GB"];
    const step = Math.min(Math.floor(Math.log2(Math.max(this.data.length, 1)) / 10), units.length - 1);
    return `${(this.data.length / 1024 ** step).toFixed(step ? 1 : 0)} ${units[step]}`;
  }

  toBuffer(): Buffer {
    return this.data;
  }

  toBase64(): string {
    return this.data.toString("base64");
  }

  getDuration(): number | undefined {
    return (this.metadata as Facts).duration;
  }

  getDimensions(): { width: number; height: number } | undefined {
    const { width, height, dimensions } = this.metadata as Facts;
    return dimensions ?? (width && height ? { width, height } : undefined);
  }

  override toString(): string {
    return `${this.kind} of ${this.getHumanSize()}`;
  }

  protected override get text(): string | undefined {
    const { text, transcript } = this.metadata as Facts;
    return typeof text === "string" ? text : typeof transcript === "string" ? transcript : undefined;
  }
}

/** Sound. */
export class Audio extends Binary {
  protected readonly kind = "audio";

  constructor(
    public data: Buffer,
    public sourceAsset?: unknown,
    public metadata: Facts = {},
  ) {
    super();
  }

  static fromBuffer(data: Buffer, sourceAsset?: unknown, metadata?: Facts): Audio {
    return new Audio(data, sourceAsset, metadata);
  }

  get format(): string {
    return this.metadata.format ?? sniff(this.data)?.split("/")[1] ?? "mp3";
  }
}

/** A picture. */
export class Image extends Binary {
  protected readonly kind: string = "image";

  constructor(
    public data: Buffer,
    public format: string = sniff(data)?.split("/")[1] ?? "png",
    public metadata: Facts = {},
    public sourceAsset?: unknown,
  ) {
    super();
  }
}

/** Moving pictures. */
export class Video extends Binary {
  protected readonly kind = "video";

  constructor(
    public data: Buffer,
    public format: string = sniff(data)?.split("/")[1] ?? "mp4",
    public metadata: Facts = {},
    public sourceAsset?: unknown,
  ) {
    super();
  }

  getAspectRatio(): number | undefined {
    const size = this.getDimensions();
    return size && size.width / size.height;
  }
}

const TYPES: Record<string, string> = {
  ".mp4": "video/mp4",
  ".webm": "video/webm",
  ".mov": "video/quicktime",
  ".mkv": "video/x-matroska",
  ".avi": "video/x-msvideo",
  ".mp3": "audio/mpeg",
  ".wav": "audio/wav",
  ".flac": "audio/flac",
  ".ogg": "audio/ogg",
  ".m4a": "audio/mp4",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".webp": "image/webp",
  ".gif": "image/gif",
  ".txt": "text/plain",
  ".md": "text/markdown",
  ".json": "application/json",
};

/** Reads files as the media they are. */
export class SmartAssetFactory {
  static async load(path: string): Promise<Text | Audio | Image | Video> {
    return SmartAssetFactory.fromBuffer(await readFile(path), extname(path).toLowerCase(), { path });
  }

  static fromBuffer(data: Buffer, extension: string, metadata: Facts = {}): Text | Audio | Image | Video {
    const type = sniff(data) ?? TYPES[extension] ?? "text/plain";
    const format = extension.slice(1) || type.split("/")[1]!;
    if (type.startsWith("video/")) return new Video(data, format, metadata);
    if (type.startsWith("audio/")) return new Audio(data, undefined, { ...metadata, format });
    if (type.startsWith("image/")) return new Image(data, format, metadata);
    return new Text(data.toString("utf8"), "auto", 1, metadata);
  }
}

/** The media type that the first bytes tell; undefined when they tell none. */
export function sniff(data: Buffer): string | undefined {
  const head = data.subarray(0, 16).toString("latin1");
  if (head.startsWith("\x89PNG")) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("GIF8")) return "image/gif";
  if (head.startsWith("RIFF"))
    return { WEBP: "image/webp", WAVE: "audio/wav", "AVI ": "video/x-msvideo" }[head.slice(8, 12)];
  if (head.slice(4, 8) === "ftyp") return head.slice(8, 11) === "M4A" ? "audio/mp4" : "video/mp4";
  if (head.startsWith("\x1aE\xdf\xa3")) return "video/webm";
  if (head.startsWith("ID3") || /^\xff[\xe2-\xff]/.test(head)) return "audio/mpeg";
  if (head.startsWith("OggS")) return "audio/ogg";
  if (head.startsWith("fLaC")) return "audio/flac";
  return undefined;
}

/** gRPC reflection, from the descriptors that lie beside the host. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { status, type ServerDuplexStream } from "@grpc/grpc-js";
import { ServerReflectionResponse, type ServerReflectionRequest } from "../generated/grpc/reflection/v1/reflection.js";

type Call = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

interface File {
  bytes: Buffer;
  dependencies: string[];
}

/** Answers about services. The descriptors are read when somebody asks. */
export class Reflection {
  #files: Map<string, File> | undefined;
  /** Names of files by the full names of what they define. */
  readonly #symbols = new Map<string, string>();

  constructor(
    private readonly services: () => readonly string[],
    private readonly folder: string,
  ) {}

  readonly handlers = {
    serverReflectionInfo: (call: Call): void => {
      call.on("data", (request: ServerReflectionRequest) => call.write(this.#answer(request)));
      call.on("end", () => call.end());
      call.on("error", () => undefined);
    },
  };

  #answer(request: ServerReflectionRequest): ServerReflectionResponse {
    const files = this.#load();
    const answer: Partial<ServerReflectionResponse> = { validHost: request.host, originalRequest: request };
    if (request.listServices !== undefined) {
      answer.listServicesResponse = { service: this.services().map((name) => ({ name })) };
    } else {
      const symbol = request.fileContainingSymbol;
      const name = symbol === undefined ? request.fileByFilename : this.#fileOf(symbol);
      const found = name === undefined ? undefined : files.get(name);
      if (found) answer.fileDescriptorResponse = { fileDescriptorProto: this.#withDependencies(name!) };
      else answer.errorResponse = { errorCode: status.NOT_FOUND, errorMessage: "there is no such symbol or file" };
    }
    return ServerReflectionResponse.fromPartial(answer);
  }

  /** The file that defines a symbol, or what it belongs to: a method, a field. */
  #fileOf(symbol: string): string | undefined {
    return this.#symbols.get(symbol) ?? this.#symbols.get(symbol.slice(0, symbol.lastIndexOf(".")));
  }

  /** A file and all it imports, the file itself first. */
  #withDependencies(name: string, seen = new Set<string>()): Buffer[] {
    const file = seen.has(name) ? undefined : this.#load().get(name);
    seen.add(name);
    return file ? [file.bytes, ...file.dependencies.flatMap((other) => this.#withDependencies(other, seen))] : [];
  }

  #load(): Map<string, File> {
    if (this.#files) return this.#files;
    this.#files = new Map();
    const set = fields(readFileSync(join(this.folder, "descriptors.binpb")));
    for (const bytes of set.get(1) ?? []) {
      const file = fields(bytes);
      const name = String(file.get(1)?.[0]);
      const scope = String(file.get(2)?.[0] ?? "");
      this.#files.set(name, { bytes, dependencies: (file.get(3) ?? []).map(String) });
      for (const number of [4, 5, 6]) for (const inner of file.get(number) ?? []) this.#define(inner, scope, name);
    }
    return this.#files;
  }

  /** A message, enum or service, and the messages in it. */
  #define(bytes: Buffer, scope: string, file: string): void {
    const definition = fields(bytes);
    const name = [scope, String(definition.get(1)?.[0])].filter(Boolean).join(".");
    this.#symbols.set(name, file);
    for (const inner of definition.get(3) ?? []) if (fields(inner).has(2)) this.#define(inner, name, file);
  }
}

/** The length-delimited fields of a message, by number. */
function fields(bytes: Buffer): Map<number, Buffer[]> {
  const reader = new BinaryReader(bytes);
  const found = new Map<number, Buffer[]>();
  while (reader.pos < reader.len) {
    const [number, kind] = reader.tag();
    if (kind !== 2) reader.skip(kind);
    else found.set(number, [...(found.get(number) ?? []), Buffer.from(reader.bytes())]);
  }
  return found;
}

/**
 * What authors of providers extend. A complete provider:
 *
 *     import { Provider } from "@mediaconduit/provider";
 *
 *     export default class Shout extends Provider {
 *       models = [{ id: "default", capabilities: ["text-to-text"] }];
 *
 *       async *transform(input) {
 *         for (const word of input.text.split(" ")) yield word.toUpperCase() + " ";
 *       }
 *     }
 *
 * What `transform` may yield is listed in `outputs`, what it is given in `call`. Content has the contract's own
 * message types, re-exported here, so that there is one vocabulary from author to client.
 */
export * from "./errors.js";
export { Provider } from "./provider.js";
export type { InputSpec, Model, PullProgress, Schema, Settings, Transformed } from "./provider.js";
export type { Call, CallLog, Input, Piece, Session } from "./call.js";
export { Output } from "./outputs.js";
export type { DeepPartial, Delta, Facts, FileOutput, OutputOptions, Yielded } from "./outputs.js";
export { FinishReason, OutputKind, SignalKind } from "./generated/mediaconduit/v1/events.js";
export type { Checkpoint, Finish, Notice, Progress, Signal, Usage } from "./generated/mediaconduit/v1/events.js";
export { Role } from "./generated/mediaconduit/v1/media.js";
export type {
  Asset,
  Citation,
  Embedding,
  MediaInfo,
  Part,
  Reasoning,
  Score,
  Scores,
  Segment,
  ToolCall,
  ToolResult,
  Transcript,
  Turn,
  VendorState,
} from "./generated/mediaconduit/v1/media.js";
export { TimeDetail, ToolChoice, TurnDetection, VideoEdit } from "./generated/mediaconduit/v1/options.js";
export type { TransformOptions } from "./generated/mediaconduit/v1/options.js";
export { ModelState } from "./generated/mediaconduit/v1/models.js";
export type { Pricing, Rate } from "./generated/mediaconduit/v1/models.js";
export { VoiceOrigin } from "./generated/mediaconduit/v1/voices.js";
export type { CreateVoiceRequest, Voice } from "./generated/mediaconduit/v1/voices.js";

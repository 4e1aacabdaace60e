/** All of the package in one file: authors and host share its classes, and one file is quickest to load. */
export * from "./index.js";
export * as internal from "./internal.js";

/** For the other entry points of this package; not for authors. */
export { main } from "./main.js";

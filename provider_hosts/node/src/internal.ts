/** For the other entry points of this package; not for authors. */
import { adapt } from "./compat/adapter.js";
import * as own from "./compat/index.js";
import { useAdapter } from "./host/entry.js";

export { main } from "./main.js";
export { serve } from "./testing.js";

/** What stands in for the original system. */
export const compat = own.surface(own);

useAdapter(adapt);

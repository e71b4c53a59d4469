// The default entry: the wasm is inlined, so that everything is ready, synchronously, right after the import.

import { provide } from "./engine.js"
import { inlined } from "./inlined.js"

provide(inlined)

export * from "./exports.js"

// The default entry: the wasm is inlined, so that everything is ready, synchronously, right after the import.

export * from "./exports.js"

// The last in the bundle: 70 KB of base64 amid the code would put its parts out of gzip's sight of each other.
import { provide } from "./engine.js"
import { inlined } from "./inlined.js"

provide(inlined)

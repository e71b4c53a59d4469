// biome-ignore-all assist/source/organizeImports: the packed wasm comes last in the bundle, since its 60 KB of base64
// amid the code would put the code's parts out of gzip's sight of each other.

// The default entry: the wasm is inlined, so that everything is ready, synchronously, right after the import.

export * from "./exports.js"

import { provide } from "./engine.js"
import { unpack } from "./unpack.js"
import { packed } from "../wasm/packed.js"

provide(() => unpack(packed))

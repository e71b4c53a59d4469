import { defineConfig } from "vite"

// PRESENCE_LIB=phoenix builds the very same page over phoenix.js, to compare the two side by side.
const library = process.env.PRESENCE_LIB === "phoenix" ? "phoenix" : "phoenix-presence"
const backend = process.env.PRESENCE_SERVER ?? "http://127.0.0.1:4000"

export default defineConfig({
  resolve: { alias: library === "phoenix" ? { "phoenix-presence": "phoenix" } : {} },
  define: { __LIBRARY__: JSON.stringify(library === "phoenix" ? "phoenix.js" : library) },
  server: {
    proxy: { "/socket": { target: backend, ws: true } },
    // The package is linked from the repository, outside this folder.
    fs: { allow: ["../.."] },
  },
  build: { target: "es2023", modulePreload: false },
})

import { defineConfig, loadEnv } from "vite"

export default defineConfig(({ mode }) => {
  const env = loadEnv(mode, ".", "PRESENCE_")
  // PRESENCE_LIB=phoenix builds the very same page over phoenix.js, to compare the two side by side.
  const overPhoenix = env.PRESENCE_LIB === "phoenix"
  const alias: Record<string, string> = overPhoenix ? { "phoenix-presence": "phoenix" } : {}
  return {
    resolve: { alias },
    define: { __LIBRARY__: JSON.stringify(overPhoenix ? "phoenix.js" : "phoenix-presence") },
    server: {
      proxy: { "/socket": { target: env.PRESENCE_SERVER ?? "http://127.0.0.1:4000", ws: true } },
      // The package is linked from the repository, outside this folder.
      fs: { allow: ["../.."] },
    },
    build: { target: "es2023", modulePreload: false },
  }
})

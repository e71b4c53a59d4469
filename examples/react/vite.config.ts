import { defineConfig } from "vite"

export default defineConfig(({ mode }) => ({
  // StrictMode does nothing in React's production build, so the tests want the page in both.
  define: { "process.env.NODE_ENV": JSON.stringify(mode) },
  build: { outDir: `dist/${mode}`, target: "es2023", modulePreload: false, chunkSizeWarningLimit: 1000 },
  // The package is linked from the repository, where there is another React for its tests.
  resolve: { dedupe: ["react", "react-dom"] },
  server: {
    proxy: { "/socket": { target: "http://127.0.0.1:4000", ws: true } },
    fs: { allow: ["../.."] },
  },
}))

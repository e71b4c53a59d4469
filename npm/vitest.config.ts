import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const react18 = (name: string): string =>
  fileURLToPath(new URL(`test/react-18/node_modules/${name}`, import.meta.url))

export default defineConfig({
  test: {
    projects: [
      { test: { name: "npm", include: ["test/{unit,server}/**/*.test.ts"], env: { REACT: "19" } } },
      {
        resolve: { alias: { react: react18("react"), "react-dom": react18("react-dom") } },
        test: { name: "react-18", include: ["test/unit/react.test.ts"], env: { REACT: "18" } },
      },
    ],
  },
})

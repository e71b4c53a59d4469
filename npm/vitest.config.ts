import { defineConfig } from "vitest/config"

export default defineConfig({ test: { include: ["test/{unit,server}/**/*.test.ts"], environment: "node" } })

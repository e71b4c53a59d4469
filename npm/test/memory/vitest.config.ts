import { defineConfig } from "vitest/config"

export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ["*.test.ts"],
    testTimeout: 120_000,
    pool: "forks",
    execArgv: ["--expose-gc"],
    fileParallelism: false,
    reporters: ["verbose"],
  },
})

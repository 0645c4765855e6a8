/** The generator's configuration. `make generate` runs it, and sets the folder of its output. */
export default {
  input: process.env.DOCUMENT,
  output: { path: process.env.OUTPUT, module: { extension: ".js" } },
  plugins: ["@hey-api/client-fetch"],
};

/** The client of scheduled activities: `generated/` is made of the OpenAPI document, the other files are by hand. */

export * from "./generated/index.js";
export * from "./answers.js";
export * from "./connection.js";
export * from "./lines.js";
export * from "./pages.js";
export * from "./retries.js";

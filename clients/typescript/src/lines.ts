/** Lines: create any number of activities, one in each line of `POST /api/activities/stream`. */

import { ApiError, expectData } from "./answers.js";
import type { Client } from "./generated/client/index.js";
import { streamActivities } from "./generated/sdk.gen.js";
import type { BatchResult, ScheduledActivityCreate } from "./generated/types.gen.js";
import { passes, RETRIES, type Retries, sleep, waitAfter } from "./retries.js";

/** `fetch` returns an answer once its request is sent; the API reads at most 64 lines ahead of the results. */
const LINES_OF_A_REQUEST = 64;

/**
 * Create any number of activities, and yield the result of each in their order. Each needs a key of its own.
 *
 * What is cut off, or refused for a while, is sent again: nothing is created twice, and a result of 409 with
 * `sameRequest` says that an earlier attempt has created the activity. The waits are longer than a minute together,
 * the window in which the API counts lines.
 */
export async function* createByLines(
  client: Client,
  activities: Iterable<ScheduledActivityCreate> | AsyncIterable<ScheduledActivityCreate>,
  limits: Partial<Retries> = {},
): AsyncGenerator<BatchResult> {
  const retries = { ...RETRIES, attempts: 9, ...limits };
  let first = 0;
  for await (const group of groups(activities)) {
    for (const result of await createGroup(client, group, retries)) {
      yield { ...result, index: first + result.index };
    }
    first += group.length;
  }
}

async function* groups<Item>(items: Iterable<Item> | AsyncIterable<Item>): AsyncGenerator<Item[]> {
  let group: Item[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length === LINES_OF_A_REQUEST) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) {
    yield group;
  }
}

/** Send the activities until each has a final result, or until the last attempt. */
async function createGroup(
  client: Client,
  group: ScheduledActivityCreate[],
  retries: Retries,
): Promise<BatchResult[]> {
  const results = new Map<number, BatchResult>();
  const open = () => [...group.keys()].filter((index) => needsSending(results.get(index)));
  for (let attempt = 1; open().length > 0 && attempt <= retries.attempts; attempt++) {
    if (attempt > 1) {
      await sleep(waitAfter(retries, attempt - 1, null));
    }
    try {
      await send(client, group, open(), results);
    } catch (failure) {
      if (attempt === retries.attempts || failure instanceof ApiError) {
        throw failure;
      }
    }
  }
  return [...group.keys()].map((index) => results.get(index) as BatchResult);
}

/** Return true if there is no result, or one that passes. */
function needsSending(result: BatchResult | undefined): boolean {
  return result === undefined || (passes(result.status) && !("code" in result.body && result.body.code === "quota_exceeded"));
}

/** Send one request with the activities of these indices, and note their results. */
async function send(
  client: Client,
  group: ScheduledActivityCreate[],
  indices: number[],
  results: Map<number, BatchResult>,
): Promise<void> {
  const body = indices.map((index) => `${JSON.stringify(group[index])}\n`).join("");
  const answer = await streamActivities({ client, body, bodySerializer: (text) => text, parseAs: "text" });
  const text = expectData<string | undefined>(answer) ?? "";
  const lines = text.split("\n").filter((line) => line !== "");
  for (const line of lines) {
    const result = JSON.parse(line) as BatchResult;
    const index = indices[result.index] as number;
    results.set(index, { ...result, index });
  }
  if (lines.length < indices.length) {
    throw new Error(`The API has sent ${lines.length} of ${indices.length} results.`);
  }
}

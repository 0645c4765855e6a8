/** Use the client of `clients/typescript` for each kind of call, against the running stack. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  ApiError,
  cancelActivities,
  cancelActivity,
  changeActivity,
  claimActivities,
  connect,
  createActivities,
  createActivity,
  createByLines,
  createOnce,
  expectData,
  explainActivity,
  getActivity,
  iterateItems,
  listActivities,
  listReasons,
  submitResult,
} from "../typescript/src/index.js";
import { AT_ONCE, newActivity, variable } from "./variables.js";

const client = connect({ baseUrl: variable("API_URL"), token: variable("TOKEN"), tenantId: variable("TENANT_ID") });

async function useConflicts(): Promise<string> {
  const body = newActivity("WHATSAPP");
  const created = await createActivity({ client, body });
  assert.equal(created.response?.status, 201);
  const activity = expectData(created);
  assert.equal(activity.status, "READY");
  const repeated = await createActivity({ client, body });
  assert.equal(repeated.response?.status, 409);
  assert.equal((await createOnce(client, body)).id, activity.id);
  await assert.rejects(createOnce(client, { ...body, score: 5 }), (problem: unknown) => {
    assert(problem instanceof ApiError);
    assert.equal(problem.code, "idempotency_key_exists");
    return true;
  });
  return activity.id;
}

async function useLists(): Promise<void> {
  for (let count = 0; count < 3; count++) {
    await createOnce(client, newActivity("EMAIL"));
  }
  const first = expectData(await listActivities({ client, query: { channel: "EMAIL", per_page: 2 } }));
  assert.equal(first.data.length, 2);
  const cursor = first.meta.nextCursor;
  assert(cursor !== null);
  assert(expectData(await listActivities({ client, query: { channel: "EMAIL", cursor } })).data.length >= 1);
  const found = new Set<string>();
  const filter = { channel: "EMAIL" as const, status: ["READY" as const] };
  const read = iterateItems((place) => listActivities({ client, query: { ...filter, ...place } }), 1);
  for await (const activity of read) {
    found.add(activity.id);
  }
  assert(found.size >= 3);
  const codes: string[] = [];
  for await (const reason of iterateItems((place) => listReasons({ client, query: place }), 1)) {
    codes.push(reason.code);
  }
  assert(codes.includes("monthly_promotion"));
}

async function useChanges(id: string): Promise<void> {
  const path = { activity_id: id };
  const etag = (await getActivity({ client, path })).response?.headers.get("ETag");
  assert(etag);
  const body = { scheduled_at: "2035-01-17T09:00:00.000Z", change_reason: "The shop is closed" };
  const changed = await changeActivity({ client, path, body, headers: { "if-match": etag } });
  assert.equal(expectData(changed).scheduledAt, body.scheduled_at);
  const stale = await changeActivity({ client, path, body, headers: { "if-match": etag } });
  assert.equal(stale.response?.status, 412);
  const cancelled = await cancelActivity({ client, path, body: { reason: "Sold out" } });
  assert.equal(expectData(cancelled).status, "CANCELED");
}

async function useMany(): Promise<void> {
  const activities = [newActivity("WHATSAPP"), newActivity("WHATSAPP")];
  const batch = expectData(await createActivities({ client, body: { activities } }));
  assert.deepEqual(batch.results.map((result) => result.status), [201, 201]);
  const statuses: number[] = [];
  for await (const result of createByLines(client, [...activities, newActivity("WHATSAPP")])) {
    statuses.push(result.status);
  }
  assert.deepEqual(statuses, [409, 409, 201]);
  const filter = { commerce_id: variable("COMMERCE_ID") };
  const wanted = { filter, reason: "The campaign ends", dry_run: true };
  const dryRun = expectData(await cancelActivities({ client, body: wanted }));
  assert("total" in dryRun && dryRun.total !== null && dryRun.total >= 3);
  const explained = expectData(await explainActivity({ client, body: newActivity("WHATSAPP") }));
  assert.equal(explained.status, "READY");
}

async function useExecution(): Promise<void> {
  const due = await createOnce(client, newActivity("PUSH", AT_ONCE));
  for (;;) {
    const body = { channels: ["PUSH" as const], executor: "hey-api", wait_seconds: 5, claim_id: randomUUID() };
    for (const claimed of expectData(await claimActivities({ client, body })).data) {
      const result = await submitResult({
        client,
        body: {
          activity_id: claimed.id,
          lease_token: claimed.leaseToken,
          occurred_at: new Date().toISOString(),
          status: "COMPLETED",
        },
      });
      assert.equal(result.response?.status, 201);
      if (claimed.id === due.id) {
        return;
      }
    }
  }
}

assert.throws(() => connect({ baseUrl: "http://localhost" }), TypeError);
const id = await useConflicts();
await useLists();
await useChanges(id);
await useMany();
await useExecution();
console.log("used");

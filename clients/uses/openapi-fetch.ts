/** Use the types of openapi-typescript by openapi-fetch for each kind of call, against the running stack. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { paths } from "./generated/openapi.js";
import { AT_ONCE, newActivity, variable } from "./variables.js";

const api = createClient<paths>({
  baseUrl: variable("API_URL"),
  headers: { Authorization: `Bearer ${variable("TOKEN")}`, "x-tenant-id": variable("TENANT_ID") },
});

const body = newActivity("WHATSAPP");
const created = await api.POST("/api/activities", { body });
assert.equal(created.response.status, 201);
assert(created.data);
assert.equal(created.data.status, "READY");
const repeated = await api.POST("/api/activities", { body });
assert.equal(repeated.response.status, 409);
assert(repeated.error);

for (let count = 0; count < 2; count++) {
  assert((await api.POST("/api/activities", { body: newActivity("SMS") })).data);
}
const first = await api.GET("/api/activities", { params: { query: { channel: "SMS", per_page: 1 } } });
const cursor = first.data?.meta.nextCursor;
assert(cursor);
const second = await api.GET("/api/activities", { params: { query: { channel: "SMS", per_page: 1, cursor } } });
assert.notEqual(second.data?.data[0]?.id, first.data?.data[0]?.id);

const path = { activity_id: created.data.id };
const read = await api.GET("/api/activities/{activity_id}", { params: { path } });
const etag = read.response.headers.get("ETag");
assert(etag);
const change = { scheduled_at: "2035-01-17T09:00:00.000Z" };
const header = { "if-match": etag };
const changed = await api.PATCH("/api/activities/{activity_id}", { params: { path, header }, body: change });
assert.equal(changed.data?.scheduledAt, change.scheduled_at);
const stale = await api.PATCH("/api/activities/{activity_id}", { params: { path, header }, body: change });
assert.equal(stale.response.status, 412);
const cancelled = await api.POST("/api/activities/{activity_id}/cancel", { params: { path }, body: { reason: "Sold out" } });
assert.equal(cancelled.data?.status, "CANCELED");

const activities = [newActivity("SMS"), newActivity("SMS")];
const batch = await api.POST("/api/activities/batch", { body: { activities } });
assert.deepEqual(batch.data?.results.map((result) => result.status), [201, 201]);
const lines = await api.POST("/api/activities/stream", {
  body: activities.map((activity) => `${JSON.stringify(activity)}\n`).join(""),
  bodySerializer: (text) => text,
  headers: { "Content-Type": "application/x-ndjson" },
  parseAs: "text",
});
const statuses = String(lines.data).trim().split("\n").map((line) => (JSON.parse(line) as { status: number }).status);
assert.deepEqual(statuses, [409, 409]);

const filter = { commerce_id: variable("COMMERCE_ID") };
const wanted = { filter, reason: "The campaign ends", dry_run: true };
const dryRun = await api.POST("/api/activities/cancel", { body: wanted });
assert(dryRun.data && "total" in dryRun.data && dryRun.data.total !== null && dryRun.data.total >= 3);
const explained = await api.POST("/api/activities/explain", { body: newActivity("SMS") });
assert.equal(explained.data?.status, "READY");

const due = await api.POST("/api/activities", { body: newActivity("CALLCENTER", AT_ONCE) });
for (let isDone = false; !isDone; ) {
  const claimed = await api.POST("/api/executions/claim", {
    body: { channels: ["CALLCENTER"], executor: "openapi-fetch", wait_seconds: 5, claim_id: randomUUID() },
  });
  for (const activity of claimed.data?.data ?? []) {
    const result = await api.POST("/api/activity-results/tasks", {
      body: {
        activity_id: activity.id,
        lease_token: activity.leaseToken,
        occurred_at: new Date().toISOString(),
        status: "COMPLETED",
      },
    });
    assert.equal(result.response.status, 201);
    isDone ||= activity.id === due.data?.id;
  }
}
console.log("used");

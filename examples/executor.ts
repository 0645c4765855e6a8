/**
 * Claim due WHATSAPP messages, "send" them to the terminal, and report the results, as `executor.py` does.
 *
 *     make executor-ts                                              # for the stack of make run; ARGS=--once
 *
 * An executor needs no Python: this one uses the generated client of `clients/typescript`, which repeats what is
 * refused for a while, and what has a key and lost its answer.
 */

import { randomUUID } from "node:crypto";
import {
  ApiError,
  type ClaimedActivityRead,
  claimActivities,
  connect,
  expectData,
  releaseLease,
  submitResult,
} from "../clients/typescript/src/index.js";

const PAUSE_MS = 2000;

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    console.error(`${name} isn't set: start the stack with make run, and this with make executor-ts`);
    process.exit(1);
  }
  return value;
}

const client = connect({
  baseUrl: variable("API_URL"),
  token: variable("TOKEN"),
  tenantId: variable("TENANT_ID"),
  retries: { attempts: Number.POSITIVE_INFINITY, longestWaitSeconds: 60 },
});

/** Claim due messages, send and report each; returns the number of those that were sent. */
async function work(): Promise<number> {
  const claimed = expectData(
    await claimActivities({
      client,
      body: {
        channels: ["WHATSAPP"],
        types: ["MESSAGE"],
        limit: 10,
        lease_seconds: 30, // longer than ten messages take; or extend it: extendLease
        wait_seconds: 20, // the answer comes as soon as an activity is due, without polling
        executor: `example-ts-${process.pid}`,
        claim_id: randomUUID(), // sent again after a lost answer, it returns the same messages
      },
    }),
  ).data;
  let sent = 0;
  for (const activity of claimed) {
    sent += (await carryOut(activity)) ? 1 : 0;
  }
  if (sent < claimed.length) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS)); // what was released is due again at once
  }
  return sent;
}

/** Send and report one message; release it if it can't be sent. */
async function carryOut(activity: ClaimedActivityRead): Promise<boolean> {
  let sentAt: Date;
  try {
    sentAt = send(activity);
  } catch (failure) {
    console.log(`releasing ${activity.id}: ${failure}`);
    const reason = String(failure).slice(0, 1000);
    await tryTo(releaseLease({ client, path: { lease_token: activity.leaseToken }, body: { reason } }));
    return false;
  }
  await tryTo(
    submitResult({
      client,
      body: {
        activity_id: activity.id,
        lease_token: activity.leaseToken,
        occurred_at: sentAt.toISOString(),
        status: "COMPLETED",
      },
    }),
  );
  return true;
}

/** Wait for an answer; if it is a refusal, leave the message to the end of its lease: other messages wait. */
async function tryTo(call: Promise<Parameters<typeof expectData>[0]>): Promise<void> {
  try {
    expectData(await call);
  } catch (failure) {
    if (!(failure instanceof ApiError)) {
      throw failure;
    }
    console.log(`refused: ${failure.status} ${failure.message}`);
  }
}

/** Send one message; a real executor calls its provider here. */
function send(activity: ClaimedActivityRead): Date {
  const target = activity.targetUsers[0];
  if (!target?.contact) {
    throw new Error("There is no target with a contact.");
  }
  console.log(`to ${target.name} at ${target.contact.value}: ${activity.reason?.label}`);
  return new Date();
}

/** Work until killed; with --once, until the first messages are sent. */
async function main(): Promise<void> {
  while (!((await work()) > 0 && process.argv.includes("--once"))) {}
}

void main();

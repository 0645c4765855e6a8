/** The variables of the running stack, and what the uses of both clients share. */

import { randomUUID } from "node:crypto";

export const LATER = "2035-01-16T09:00:00.000Z";
export const AT_ONCE = "2025-01-16T09:00:00.000Z";

export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`${name} isn't set.`);
  }
  return value;
}

/** Return the contract's example, with a key of its own. */
export function newActivity<Channel extends string>(channel: Channel, scheduledAt = LATER) {
  return {
    type: "MESSAGE" as const,
    reason: "Monthly promotion",
    channel,
    commerce_id: variable("COMMERCE_ID"),
    idempotency_key: `client-${randomUUID()}`,
    scheduled_at: scheduledAt,
    attribute_keys: ["commerce_info"],
  };
}

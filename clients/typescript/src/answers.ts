/** Answers: the one that was hoped for, or an error with the problem. */

import type { Client } from "./generated/client/index.js";
import { createActivity } from "./generated/sdk.gen.js";
import type { IdempotencyKeyExistsRead, ProblemRead, ScheduledActivityCreate, ScheduledActivityRead } from "./generated/types.gen.js";

/** The API has answered with a problem. Branch on `code`; `problem` has the members of its kind. */
export class ApiError extends Error {
  readonly code: string | undefined;

  constructor(
    readonly status: number,
    readonly problem: unknown,
  ) {
    const known = problem as Partial<ProblemRead> | null | undefined;
    super(known?.detail ?? `status ${status}`);
    this.name = "ApiError";
    this.code = known?.code;
  }
}

/** The result of an operation, as the generated client returns it. `response` is missing if there was no answer. */
export interface Result<Data> {
  data?: Data;
  error?: unknown;
  response?: Response;
}

/** Return the data of a result; throw an `ApiError` if it is a problem, or the failure if there was no answer. */
export function expectData<Data>(result: Result<Data>): Data {
  if (result.response === undefined) {
    throw result.error;
  }
  if (!result.response.ok) {
    throw new ApiError(result.response.status, result.error);
  }
  return result.data as Data;
}

/** Create an activity, or return the one that the same request has created before. */
export async function createOnce(client: Client, body: ScheduledActivityCreate): Promise<ScheduledActivityRead> {
  const result = await createActivity({ client, body });
  if (result.response?.status === 409) {
    const known = result.error as IdempotencyKeyExistsRead; // the index signatures of problems allow no narrowing
    if (known.sameRequest && known.activity) {
      return known.activity;
    }
  }
  return expectData(result);
}

/** Retries: a request is repeated when the API asks for it, or when its answer was lost and it has a key. */

/** The number of attempts, and the waits between them. An answer that asks for a longer wait is returned as it is. */
export interface Retries {
  attempts: number;
  firstWaitSeconds: number;
  longestWaitSeconds: number;
}

export const RETRIES: Retries = { attempts: 5, firstWaitSeconds: 0.5, longestWaitSeconds: 60 };

const ALWAYS_REPEATABLE = new Set(["GET", "HEAD", "PUT", "DELETE"]);
/** The members of a body by which the API recognizes a repetition; each item of `activities` has a key. */
const KEYS = ["idempotency_key", "claim_id", "operation_id", "lease_token", "activities"];

/** Return a `fetch` that repeats requests within these limits. */
export function retryingFetch(limits: Partial<Retries> = {}): typeof fetch {
  const retries = { ...RETRIES, ...limits };
  return async (input, init) => {
    const request = new Request(input, init);
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= retries.attempts;
      let wait: number;
      try {
        const answer = await fetch(request.clone());
        wait = waitAfter(retries, attempt, answer.headers.get("Retry-After"));
        if (isLast || !passes(answer.status) || wait > retries.longestWaitSeconds) {
          return answer;
        }
        await answer.body?.cancel();
      } catch (failure) {
        if (isLast || request.signal.aborted || !(await isRepeatable(request))) {
          throw failure;
        }
        wait = waitAfter(retries, attempt, null);
      }
      await sleep(wait);
    }
  };
}

/** Return true for the statuses after which the same request is to be sent again. */
export function passes(status: number): boolean {
  return status === 429 || status === 503;
}

/** Return the seconds to wait after an attempt, from 1: those that the API names, or a growing random time. */
export function waitAfter(retries: Retries, attempt: number, retryAfter: string | null): number {
  if (retryAfter !== null && /^\d+$/.test(retryAfter)) {
    return Number(retryAfter);
  }
  const longest = Math.min(retries.firstWaitSeconds * 2 ** (attempt - 1), retries.longestWaitSeconds);
  return longest * (0.5 + Math.random() / 2);
}

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** Return true if the request may be sent again although the first may have been carried out. */
async function isRepeatable(request: Request): Promise<boolean> {
  if (ALWAYS_REPEATABLE.has(request.method) || request.headers.has("Idempotency-Key")) {
    return true;
  }
  if (request.headers.get("Content-Type") !== "application/json") {
    return false;
  }
  const body: unknown = await request.clone().json();
  return typeof body === "object" && body !== null && KEYS.some((key) => key in body && body[key as keyof typeof body]);
}

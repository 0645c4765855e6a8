/** The connection to the API, with the credentials and the retries. */

import { type Client, createClient } from "./generated/client/index.js";
import { type Retries, retryingFetch } from "./retries.js";

export interface Connection {
  /** The address of the API, without a path. */
  baseUrl: string;
  /** A token of the issuer; it needs the tenant's id. */
  token?: string;
  /** An API key in place of a token. It knows its tenant. */
  apiKey?: string;
  /** Sent as `x-tenant-id` with every request. */
  tenantId?: string;
  /** The default repeats for at most five attempts. */
  retries?: Partial<Retries>;
}

/** Return a client, which the operations take: `getActivity({ client, path: … })`. */
export function connect(connection: Connection): Client {
  const { baseUrl, token, apiKey, tenantId } = connection;
  if ((token === undefined) === (apiKey === undefined)) {
    throw new TypeError("Give a token or an API key, and not both.");
  }
  return createClient({
    baseUrl: baseUrl.replace(/\/+$/, ""),
    auth: (scheme) => (scheme.scheme === "bearer" ? token : apiKey),
    headers: tenantId === undefined ? {} : { "x-tenant-id": tenantId },
    fetch: retryingFetch(connection.retries),
  });
}

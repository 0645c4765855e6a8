/** Pages: iterate over all items of a list. */

import { expectData, type Result } from "./answers.js";

/** A page's place in its list, as the query of the request names it. */
export interface Place {
  per_page: number;
  page?: number;
  cursor?: string;
}

/** A page of a list. */
export interface Page {
  data: unknown[];
  meta: { nextCursor: string | null; totalPages: number };
}

type ItemOf<Answer> = Answer extends { data: { data: (infer Item)[] } } ? Item : never;

/**
 * Yield all items of a list, page by page:
 * `iterateItems((place) => listActivities({ client, query: { status: ["READY"], ...place } }))`.
 *
 * Lists with cursors are followed by them: items that are added meanwhile shift none of the others.
 */
export async function* iterateItems<Answer>(
  readPage: (place: Place) => Promise<Answer>,
  perPage = 100,
): AsyncGenerator<ItemOf<Answer>> {
  let place: Place = { per_page: perPage };
  for (let number = 1; ; number++) {
    const { data, meta } = expectData((await readPage(place)) as Result<Page>);
    yield* data as ItemOf<Answer>[]; // a constraint of `Answer` would keep the operation's types from being inferred
    if (meta.nextCursor !== null) {
      place = { per_page: perPage, cursor: meta.nextCursor };
    } else if (place.cursor === undefined && number < meta.totalPages) {
      place = { per_page: perPage, page: number + 1 };
    } else {
      return;
    }
  }
}

import type { Attempt } from "./answers";

/** An attempt is kept as fields. Words are made of them where somebody reads them. */

export type NoAnswer = NonNullable<Attempt["noAnswer"]>;

/** The attempt with its `error`, for those who read no more than that. */
export function withError(attempt: Attempt): Attempt {
  const error = errorOf(attempt);
  return error === undefined ? attempt : { ...attempt, error };
}

/** Why the attempt failed, in one text; undefined when it did not. */
function errorOf({ error, outcome, status, detail, answer, givenUpAfterSeconds }: Attempt): string | undefined {
  if (error !== undefined || outcome === undefined || outcome === "delivered") return error;
  const own = detail ?? `HTTP ${status}`;
  const why = answer === undefined ? own : `${own}: ${answer}`;
  const said = outcome === "blocked" ? `blocked: ${why}` : why;
  return givenUpAfterSeconds === undefined
    ? said
    : `given up after ${givenUpAfterSeconds} seconds; the last attempt: ${said}`;
}

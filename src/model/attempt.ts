/** One attempt to deliver a message, as it is recorded and shown. The fields are kept; words are made by whoever shows them. */
export type Attempt = {
  at: string;
  ms: number;
  /** Of the far end's answer, where one came. */
  status?: number;
  /** How it ended. Records of the first version do not have it. */
  outcome?: "delivered" | "rejected" | "blocked" | "retry";
  /** Why the far end did not answer, where the relay can tell. */
  noAnswer?: NoAnswer;
  /** Why it failed, in the relay's own words. Left out where `status` alone says so. */
  detail?: string;
  /** The beginning of what the far end answered, where the attempt failed. */
  answer?: string;
  /** Set on the last attempt of a message that got too old: the age it was allowed. */
  givenUpAfterSeconds?: number;
  /** All of that as one text. A record has it only if it is of the first version, which kept nothing else. */
  error?: string;
};

export type NoAnswer = "timeout" | "connection";

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

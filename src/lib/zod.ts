/** The message for an object that is missing or is something else; unknown fields keep zod's own. */
export function missingObject(issue: { code?: string | undefined; input?: unknown }) {
  if (issue.code === "unrecognized_keys") return undefined;
  return issue.input === undefined ? "is required" : "must be a JSON object";
}

import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";

// zod/mini knows no words of its own; alone, the locale costs little, where `z.locales` would bring all of them.
z.config(en());

/** For a transform that finds its input wrong. */
export function refuse(context: z.core.ParsePayload, message: string): never {
  context.issues.push({ message, code: "custom", input: context.value });
  return z.NEVER;
}

/**
 * A value in place of what does not fit the schema. It is `z.catch`, which cannot be used itself: it names zod's helpers by
 * their namespace, and so brings all of them into the bundle.
 */
export function withFallback<S extends z.ZodMiniType>(schema: S, value: z.output<S>): z.ZodMiniCatch<S> {
  const catching = new z.ZodMiniCatch({ type: "catch", innerType: schema, catchValue: () => value });
  return catching as z.ZodMiniCatch<S>;
}

/** The message for an object that is missing or is something else; unknown fields keep zod's own. */
export function missingObject(issue: { code?: string | undefined; input?: unknown }) {
  if (issue.code === "unrecognized_keys") return undefined;
  return issue.input === undefined ? "is required" : "must be a JSON object";
}

/** What is wrong with each field, by its dotted path. `whole` is what it is a field of. */
export const issuesOf = (error: z.core.$ZodError | undefined, whole: string): { path: string; message: string }[] =>
  (error?.issues ?? []).flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ path: [...issue.path, key].join("."), message: `is not a field of ${whole}` }))
      : [{ path: issue.path.join("."), message: issue.message }],
  );

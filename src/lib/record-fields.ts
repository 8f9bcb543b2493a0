import * as z from "zod/mini";

/** Fields that the records of several far ends have. `what` says what is missing where one is left out. */

/** Stands for a secret wherever one is shown. */
export const MASK = "***";

const required = (what?: string) => z.string({ error: what === undefined ? "is required" : `is required: ${what}` });

/**
 * Line breaks come in by copying. The URL parser would drop them without a word, and a header would be refused for them. It is
 * Unicode's Cc, written out: the pattern of a JSON schema has no flag for \p.
 */
const ONE_LINE = new RegExp(String.raw`^[^\u0000-\u001f\u007f-\u009f]*$`);
export const NO_CONTROLS = z.regex(ONE_LINE, "must have no line breaks or other control characters");

export const url = (what: string) =>
  required(what).check(
    z.maxLength(2048),
    NO_CONTROLS,
    z.regex(/^[^\s\\]*$/, "must have no blanks or backslashes"),
    z.regex(/^[^#]*$/, "must have no # in it"),
  );

/** A URL that paths are appended to. */
export const baseUrl = (what: string) =>
  url(what).check(
    z.regex(/^[^?]*$/, "must have no ? in it: paths are appended to it"),
    z.overwrite((text) => text.replace(/\/+$/, "")),
  );

export const text = (what?: string) =>
  required(what).check(z.minLength(1, "must not be empty"), z.maxLength(1024), NO_CONTROLS);

export const secret = (what?: string) =>
  required(what).check(z.minLength(1, "must not be empty"), z.maxLength(4096), NO_CONTROLS);

/** A secret that is sent as the value of a header. Blanks around it would be lost on the way. */
export const headerSecret = (what?: string) =>
  secret(what).check(
    z.regex(/^[\u0020-\u007e]*$/, "must be printable ASCII"),
    z.regex(/^(?! ).*(?<! )$/, "must not begin or end with a blank"),
  );

export const SHORTEST_WEBHOOK_SECRET = 16;

/** What the far end signs with, or sends along. A shorter one that is there already may be kept. */
export const webhookSecret = (what?: string) =>
  secret(what).check(
    z.refine(
      (given) => given === MASK || given.length >= SHORTEST_WEBHOOK_SECRET,
      `must have ${SHORTEST_WEBHOOK_SECRET} characters or more`,
    ),
  );

/** A name of HTTP Basic: the colon ends it. */
export const basicName = (what?: string) => text(what).check(z.regex(/^[^:]*$/, "must have no colon in it"));

/** The name of a binding of the Worker, through which a far end is reached. */
export const reach = z.optional(z.string().check(z.minLength(1, "must not be empty"), z.maxLength(128)));

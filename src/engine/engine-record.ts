import * as z from "zod/mini";
import { baseUrl, basicName, headerSecret, NO_CONTROLS, reach, secret, text } from "../lib/record-fields";
import { missingObject } from "../lib/zod";

/** The part of a tenant record that says how its 3Dolphins server is reached. */

const path = z
  .string()
  .check(
    z.maxLength(1024),
    z.startsWith("/", "must begin with /"),
    NO_CONTROLS,
    z.regex(/^[^\s\\#]*$/, "must have no blanks, backslashes or # in it"),
  );
/** More of the path goes behind it. */
const apiPath = path.check(z.regex(/^[^?]*$/, "must have no ? in it: paths are appended to it"));
/** RFC 9110, 5.1 and 5.5: a token, and no control characters. */
const headerName = z.string({ error: "is required" }).check(
  z.regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, "must be a header's name"),
  z.refine((name) => !OWN_HEADERS.test(name), "is a header that the relay sets itself"),
);
/** Headers that the relay, the connection (RFC 9110, 7.6.1) or what stands between sets. */
const OWN_HEADERS =
  /^(accept(-.*)?|content-.*|cf-.*|connection|date|expect|forwarded|host|idempotency-key|keep-alive|proxy-.*|range|relay-.*|te|trailer|transfer-encoding|upgrade|user-agent|via|webhook-.*|x-forwarded-.*|x-real-ip)$/i;

const auth = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("none") }),
    z.strictObject({ type: z.literal("bearer"), token: headerSecret() }),
    z.strictObject({ type: z.literal("basic"), username: basicName(), password: secret() }),
    z.strictObject({ type: z.literal("header"), name: headerName, value: headerSecret() }),
    z.strictObject({ type: z.literal("login"), username: text(), password: secret() }),
  ],
  { error: "must have a type: none, bearer, basic, header or login" },
);

export const engineRecord = z.strictObject(
  {
    baseUrl: baseUrl("the 3Dolphins server's base URL"),
    outgoingPath: z._default(path, "/outgoing"),
    commandPath: z._default(path, "/command"),
    apiPath: z._default(apiPath, "/dolphin/apiv1"),
    reach,
    auth: z._default(auth, { type: "none" }),
  },
  { error: missingObject },
);

export type EngineRecord = z.infer<typeof engineRecord>;
export type EngineAuth = EngineRecord["auth"];
export type LoginAuth = Extract<EngineAuth, { type: "login" }>;

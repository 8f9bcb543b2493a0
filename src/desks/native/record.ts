import * as z from "zod/mini";
import { url } from "../../lib/record-fields";

export const nativeRecord = z.strictObject({
  type: z.literal("native"),
  url: url("the URL that takes the events"),
  /** Whether it is sent a report of each reply that ended among the dead letters. */
  notifyFailures: z._default(z.boolean(), false),
});

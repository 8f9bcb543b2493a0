import * as z from "zod/mini";
import { signatureHeaders } from "../../crypto/standard-webhooks";
import { send } from "../../egress/http";
import { judgeAnswer } from "../../egress/outcome";
import { defineDesk } from "../desk";

/** A desk that speaks the relay's own protocol: it takes the event as it is, signed by Standard Webhooks. */
export const native = defineDesk({
  type: "native",
  record: z.strictObject({
    type: z.literal("native"),
    url: z.string({ error: "is required: the URL that takes the events" }).check(z.maxLength(2048)),
    /** Whether it wants to hear of replies that ended among the dead letters. */
    notifyFailures: z._default(z.boolean(), false),
  }),
  secrets: [],
  targets: ["url"],
  wantsFailures: (desk) => desk.notifyFailures,

  async deliver(delivery, desk, context) {
    const result = await send({
      url: desk.url,
      headers: {
        "content-type": "application/json",
        ...(await signatureHeaders(context.signingSecrets, delivery.id, Date.now(), delivery.event)),
        "relay-sequence": String(delivery.sequence),
        "relay-attempt": String(delivery.attempt),
      },
      body: delivery.event,
      timeoutMs: context.timeoutMs,
      allowInsecureTargets: context.allowInsecureTargets,
    });
    return { outcome: "outcome" in result ? result.outcome : judgeAnswer(result.answer, true) };
  },
});

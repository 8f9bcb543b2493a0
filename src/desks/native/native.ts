import { signatureHeaders } from "../../crypto/standard-webhooks";
import { judgeSent } from "../../egress/outcome";
import { sendEvent } from "../../egress/send-event";
import { defineDesk } from "../desk";
import { nativeRecord } from "./record";

/** A desk that speaks the relay's own protocol: it takes the event as it is stored, signed by Standard Webhooks. */
export const native = defineDesk({
  type: "native",
  record: nativeRecord,
  secrets: {},
  targets: ["url"],
  farEnd: ({ url }) => url,
  wantsFailures: (desk) => desk.notifyFailures,

  async deliver(delivery, desk, context) {
    const signature = await signatureHeaders(context.signingSecrets, delivery.id, Date.now(), delivery.text);
    return judgeSent(await sendEvent(desk.url, delivery, signature, context), true);
  },
});

import { judgeSent, type Outcome } from "../egress/outcome";
import { sendEvent } from "../egress/send-event";
import type { Delivery } from "../model/delivery";
import { authenticated, type EngineContext } from "./authenticated";
import type { EngineRecord } from "./engine-record";

/** Delivers an Outgoing or Command Event to the 3Dolphins server, with the tenant's kind of authentication. */
export async function deliverToEngine(
  delivery: Delivery,
  record: EngineRecord,
  context: EngineContext,
): Promise<Outcome> {
  const url = record.baseUrl + (delivery.kind === "command" ? record.commandPath : record.outgoingPath);
  const sent = await authenticated(record.auth, context, (headers) =>
    sendEvent(url, delivery, { ...headers, "relay-message-id": delivery.id }, context),
  );
  return judgeSent(sent, true);
}

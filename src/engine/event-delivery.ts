import type { Delivered, Delivery, EngineContext } from "../egress/delivery";
import { send } from "../egress/http";
import { judgeAnswer } from "../egress/outcome";
import { authenticated } from "./authenticated";
import type { EngineRecord } from "./engine-record";

/** The 3Dolphins server as a destination: Outgoing and Command Events, with the tenant's kind of authentication. */
export async function deliverToEngine(
  delivery: Delivery,
  record: EngineRecord,
  context: EngineContext,
): Promise<Delivered> {
  const result = await authenticated(record.auth, context, (headers) =>
    send({
      url: record.baseUrl + (delivery.kind === "command" ? record.commandPath : record.outgoingPath),
      headers: {
        "content-type": "application/json",
        ...headers,
        "relay-message-id": delivery.id,
        "relay-sequence": String(delivery.sequence),
        "relay-attempt": String(delivery.attempt),
      },
      body: delivery.event,
      timeoutMs: context.timeoutMs,
      allowInsecureTargets: context.allowInsecureTargets,
    }),
  );
  return { outcome: "outcome" in result ? result.outcome : judgeAnswer(result.answer, true) };
}

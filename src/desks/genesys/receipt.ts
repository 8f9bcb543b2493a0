import { statusOf, type Outcome } from "../../egress/outcome";
import { failureCause } from "../agent-notes";
import { NOTHING_TO_DO, type FailureCause, type NoteContext, type Receipt } from "../desk";
import { genesysApi } from "./api";
import { integrationOf, type GenesysRecord } from "./record";

/** What an agent sees at a message: delivered, or failed. */

/** The name of an agent's message. Who it was for is a part of it, since a receipt has to say that as well. */
export const deskMessageOf = (record: GenesysRecord, customerId: string, id: string): string =>
  `${integrationOf(record)} ${customerId} ${id}`;

/** Nobody else's integration is told: the ids are its own. */
export async function sendReceipt(receipt: Receipt, record: GenesysRecord, context: NoteContext): Promise<Outcome> {
  const far = `${integrationOf(record)} `;
  if (!receipt.deskMessage.startsWith(far)) return NOTHING_TO_DO;
  const [customerId = "", ...id] = receipt.deskMessage.slice(far.length).split(" ");
  const { outcome } = await genesysApi(record, context).post(
    `/messages/${encodeURIComponent(record.integrationId)}/inbound/open/receipt`,
    {
      id: id.join(" "),
      channel: { to: { id: customerId, idType: "Opaque" }, time: new Date().toISOString() },
      isFinalReceipt: true,
      ...(receipt.state === "delivered"
        ? { status: "Delivered" }
        : {
            status: "Failed",
            reasons: [{ code: codeOf(receipt.why), message: failureCause(context.language, receipt.why) }],
          }),
    },
  );
  // It was told before, and the answer was lost.
  return statusOf(outcome) === 409 ? { kind: "delivered", status: 409 } : outcome;
}

function codeOf(why: FailureCause): string {
  if ("reason" in why) return why.reason === "exhausted" ? "MessageExpired" : "GeneralError";
  switch (why.code) {
    case "backlog_full":
      return "RateLimited";
    case "invalid_event":
      return "UnsupportedMessage";
    default:
      return "MessageNotAllowed";
  }
}

import { audit, nothingDone } from "../../http/audit-trail";
import { askOnce, jsonOf, ticketOf } from "../../http/context";
import { allow } from "../../http/operators";
import { ownerIn } from "../../http/parameters";
import { unknownTicket } from "../../http/resolve-tenant";
import { Routes } from "../../http/routes";
import type { TicketReplayAnswer } from "../../model/answers";
import type { Result } from "../../model/result";
import type { Replayed } from "../../model/timeline";
import type { UnknownTicket } from "../../ticket/views";
import { pageIn, showTicket } from "../desk-tickets";
import { replayIn, ticketReplay, whichOf } from "./dead-letters";

/** One ticket, whoever's it is. */
export const tickets = new Routes();

tickets
  .get("/:owner/:ticketNumber", allow("viewer", "ticket_read"), async (c) =>
    // An operator who looks at a ticket is to find it in the lists as it is, so that is reported to its index.
    showTicket(c, ownerIn(c), c.req.param("ticketNumber"), { ...pageIn(c), byOperator: true }),
  )
  .post("/:owner/:ticketNumber/replay", allow("operator", "replayed"), async (c) => {
    const { dryRun = false, ...asked } = replayIn(ticketReplay, jsonOf(c.var.body));
    const owner = ownerIn(c);
    const ticketNumber = c.req.param("ticketNumber");
    const answer = await askOnce<Result<Replayed, UnknownTicket>>(() =>
      ticketOf(c, owner, ticketNumber).replay(whichOf(asked), dryRun),
    );
    if (!answer.ok) throw unknownTicket();
    const { replayed, late } = answer.value;
    if (dryRun) nothingDone(c);
    else audit(c, { messages: replayed.length });
    return c.json<TicketReplayAnswer>({ status: "success", dryRun, replayed, late });
  });

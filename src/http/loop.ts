import { isRelay } from "../egress/user-agent";
import { isMessageId } from "../lib/message-id";
import { AppError } from "../model/errors";
import type { AppContext } from "./context";

/**
 * Refuses a delivery of the relay's own. A target on the relay's host is refused when it is set. Behind another name, such as
 * a proxy that leads here, only this keeps one event from coming round and round.
 */
export function refuseLoop(c: AppContext): void {
  const isDelivery = c.req.header("relay-message-id") !== undefined || isMessageId(c.req.header("webhook-id") ?? "");
  if (!isDelivery || !isRelay(c.req.header("user-agent"))) return;
  throw new AppError(
    "invalid_request",
    "This is a delivery of the relay itself: the URL it was sent to leads back here. Put the desk's own URL, or the engine's, into the tenant's record.",
  );
}

/** What a desk that asks for it is sent when a reply or a Close of its own ended among the dead letters. */
export type FailureReport = {
  type: "delivery.failed";
  ticketNumber: string;
  owner: string;
  messageId: string;
  sequence: number;
  reason: DeadReason;
  /** Of the far end's last answer; null when there was none. */
  status: number | null;
  /** The event that was not delivered, as the relay has it. */
  event: unknown;
};

export type DeadReason = "rejected" | "blocked" | "exhausted";

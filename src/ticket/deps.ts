import type { Receipt } from "../desks/desk";
import type { Outcome } from "../egress/outcome";
import type { DueMessage } from "../model/delivery";
import type { LaneName } from "../model/answers";
import type { Directory } from "../tenants/directory";
import type { Texts } from "../tenants/texts";
import type { AlarmClock } from "./alarm";
import type { AskDesk } from "./ask-desk";
import type { TicketCache } from "./cache";
import type { CloseEcho } from "./close-echo";
import type { Delivered, Held, KeptConversation, ReadText } from "./deliver";
import type { IndexReporter } from "./index-reporter";
import type { TicketMapping } from "./mapping";
import type { Receipts } from "./receipts";
import type { RecentBodies } from "./recent-bodies";
import type { RecentKeys } from "./recent-keys";
import type { TicketRow } from "./schema";
import type { TicketStore } from "./store";
import type { Unheard } from "./unheard";
import type { Waiters } from "./waiters";

/** What the functions of a ticket work with. The object gives them the real ones, and a test its own. */
export type TicketDeps = {
  store: TicketStore;
  cache: TicketCache;
  alarm: AlarmClock;
  waiters: Waiters;
  recentBodies: RecentBodies;
  recentKeys: RecentKeys;
  closeEcho: CloseEcho;
  mapping: Pick<TicketMapping, "writeIfDue" | "dueMs">;
  reporter: Pick<IndexReporter, "settled" | "reportIfDue" | "dueMs" | "forget" | "end">;
  directory: Pick<Directory, "policy" | "unmapTicket" | "forgetTenant">;
  texts: Pick<Texts, "seal" | "sealEvent" | "open">;
  /** What fails is an outcome. Throws only where it is not known whether the lane is paused: then nothing was sent. */
  deliver: (
    ticket: TicketRow,
    lane: LaneName,
    message: DueMessage,
    read: ReadText,
    kept: KeptConversation,
  ) => Promise<Delivered | Held>;
  /** Undefined where the desk has no receipts. Never throws. */
  sendReceipt: (ticket: TicketRow, receipt: Receipt) => Promise<Outcome | undefined>;
  receipts: Pick<Receipts, "settled" | "startIfDue" | "dueMs" | "isShown" | "settling">;
  /** Never throws. */
  askDesk: AskDesk;
  unheard: Pick<Unheard, "startIfDue" | "dueMs" | "heldUntilMs">;
  nowMs: () => number;
  /** In [0, 1). */
  random: () => number;
  /** Keeps the object awake until the promise is settled. */
  waitUntil: (promise: Promise<void>) => void;
};

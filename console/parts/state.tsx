import type { LaneName, TicketState, TimelineMessage } from "../api/types";
import { useWords } from "../words/language";

const MARKS = { waiting: "◔", delivered: "✓", dead: "✕", discarded: "–" } as const;

export function MessageState({ state }: { state: TimelineMessage["state"] }) {
  return (
    <span class={`badge badge-${state}`}>
      <span aria-hidden="true">{MARKS[state]}</span> {useWords().messageState[state]}
    </span>
  );
}

export function TicketStateBadge({ state }: { state: TicketState }) {
  return <span class={`badge badge-${state}`}>{useWords().ticketState[state]}</span>;
}

/** The counts of a lane, the troubling ones first. */
export function LaneCounts({
  lane,
  counts,
}: {
  lane: LaneName;
  counts: Record<"delivered" | "waiting" | "dead", number>;
}) {
  const words = useWords();
  const { dead, waiting, delivered } = counts;
  return (
    <span class="counts" title={words.lane[lane]}>
      {dead > 0 && <span class="count-dead">{words.nDead(dead)}</span>}
      {waiting > 0 && <span class="count-waiting">{words.nWaiting(waiting)}</span>}
      {dead + waiting === 0 && <span class="muted">{words.nDelivered(delivered)}</span>}
    </span>
  );
}

import { useEffect, useRef, useState } from "preact/hooks";
import { listTickets, readOverview } from "../api/relay";
import type { TicketSummary } from "../api/types";
import { useEvery } from "../lib/every";
import { useLoad } from "../lib/load";
import { ticketHref } from "../lib/route";
import { PageHeading } from "../parts/heading";
import { Empty } from "../parts/notice";
import { Sparkline } from "../parts/sparkline";
import { Time } from "../parts/time";
import { useWords } from "../words/language";
import { useHappenings, useTenant, type Happening } from "./context";
import { changesBetween, type Change } from "./happened";

const DAY_MINUTES = 1440;
const MINUTES_PER_BAR = 10;
const DAY_EVERY_MS = 60_000;
/** Shown of what happened: the rest is in the tickets. */
const MOST_LINES = 200;
/** A page's most. */
const KNOWN_AT_FIRST = 100;

type Line = { id: number; at: string; ticketNumber: string; customerName: string; changes: Change[] | "gone" };

/** What happens, as it happens, above the last 24 hours. */
export function LiveTab() {
  const words = useWords();
  const { tenant, subscribe } = useTenant();
  const { owner, name } = tenant;
  const day = useLoad(`day ${owner}`, (signal) => readOverview(owner, DAY_MINUTES, signal));
  useEvery(DAY_EVERY_MS, day.reload);
  const [lines, setLines] = useState<Line[]>([]);
  const [isPaused, setPaused] = useState(false);
  const known = useRef(new Map<string, TicketSummary>());
  useEffect(() => {
    const abort = new AbortController();
    void remember(owner, known.current, abort.signal);
    return () => abort.abort();
  }, [owner]);
  const count = useRef(0);

  useHappenings(subscribe, (happening) => {
    const line = lineOf(happening, known.current);
    if (!line || isPaused) return;
    count.current += 1;
    const id = count.current;
    setLines((before) => [{ id, ...line }, ...before].slice(0, MOST_LINES));
  });

  return (
    <section>
      <div class="sr-only">
        <PageHeading level={2} title={`${words.tab.live}, ${name}`} />
      </div>
      <h3>{words.live.day}</h3>
      <div class="day-chart">
        {day.data && (
          <Sparkline
            overview={day.data}
            bars={DAY_MINUTES / MINUTES_PER_BAR}
            minutesPerBar={MINUTES_PER_BAR}
            label={words.live.day}
          />
        )}
      </div>
      <div class="page-top">
        <h3>{words.live.title}</h3>
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? words.live.goOn : words.live.pause}
        </button>
      </div>
      {lines.length === 0 && <Empty>{words.live.none}</Empty>}
      <ol class="log" aria-label={words.live.title}>
        {lines.map((line) => (
          <li key={line.id}>
            <Time at={line.at} />
            <a href={ticketHref(owner, line.ticketNumber)}>{line.customerName || line.ticketNumber}</a>
            <span class="mono sub">{line.ticketNumber}</span>
            <ChangeWords changes={line.changes} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function ChangeWords({ changes }: { changes: Change[] | "gone" }) {
  const words = useWords();
  if (changes === "gone") return <span class="change">{words.live.gone}</span>;
  return (
    <span class="changes">
      {changes.map((change) => (
        <span key={`${change.kind} ${"lane" in change ? change.lane : ""}`} class={`change change-${change.kind}`}>
          {"lane" in change
            ? words.live.counted[change.kind](change.count, words.laneShort[change.lane])
            : words.live.became[change.kind]}
        </span>
      ))}
    </span>
  );
}

/** How the newest tickets stand before the first event: what comes then is shown as what changed. */
async function remember(owner: string, known: Map<string, TicketSummary>, signal: AbortSignal): Promise<void> {
  const filter = { state: "", q: "", limit: KNOWN_AT_FIRST };
  const { items } = await listTickets(owner, filter, signal).catch(() => ({ items: [] }));
  for (const ticket of items) if (!known.has(ticket.ticketNumber)) known.set(ticket.ticketNumber, ticket);
}

/** Remembers how the ticket stands now; undefined when there is nothing to say. */
function lineOf(happening: Happening, known: Map<string, TicketSummary>): Omit<Line, "id"> | undefined {
  const at = new Date().toISOString();
  if (happening.type === "gap") return undefined;
  if (happening.type === "gone") {
    const { ticketNumber } = happening;
    return { at, ticketNumber, customerName: known.get(ticketNumber)?.customerName ?? "", changes: "gone" };
  }
  const { ticket } = happening;
  const { ticketNumber, customerName } = ticket;
  const changes = changesBetween(known.get(ticketNumber), ticket);
  known.set(ticketNumber, ticket);
  return changes.length === 0 ? undefined : { at, ticketNumber, customerName, changes };
}

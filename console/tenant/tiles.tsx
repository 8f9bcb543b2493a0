import type { ComponentChildren } from "preact";
import { LANES, type Minute, type Overview } from "../api/types";
import { took } from "../lib/times";
import { Sparkline } from "../parts/sparkline";
import { For } from "../parts/time";
import { useTimes, useWords } from "../words/language";
import { useTenant } from "./context";

/** Counts are no further behind while somebody looks. */
const BEHIND_MS = 30_000;

/** The tenant's health in one line. */
export function Tiles() {
  const { overview } = useTenant();
  return <dl class="tiles">{overview ? <Filled overview={overview} /> : <Tile name="…" value="…" />}</dl>;
}

function Filled({ overview }: { overview: Overview }) {
  const { waiting, dead, tickets, minutes, countedUntil } = overview;
  const words = useWords();
  const times = useTimes();
  const nowMs = Date.now();
  const { delivered, died } = lastHour(minutes);
  const isBehind = Date.parse(countedUntil) < nowMs - BEHIND_MS;
  const lag = LANES.flatMap((lane) => {
    const { p50Ms, p95Ms, p99Ms } = overview.lag[lane];
    if (p50Ms === undefined || p95Ms === undefined || p99Ms === undefined) return [];
    return [
      `${words.laneShort[lane]} ${words.lag(took(p50Ms, words.units), took(p95Ms, words.units), took(p99Ms, words.units))}`,
    ];
  });
  return (
    <>
      <Tile name={words.waiting} value={waiting.messages} tone={waiting.messages > 0 ? "waiting" : ""}>
        {waiting.oldestSince === undefined ? (
          words.nothingWaits
        ) : (
          <>
            {words.oldest} <For since={waiting.oldestSince} />, {words.inTickets(waiting.tickets)}
          </>
        )}
      </Tile>
      <Tile name={words.dead} value={dead.messages} tone={dead.messages > 0 ? "dead" : ""}>
        {dead.messages === 0 ? words.noDead : words.inTickets(dead.tickets)}
      </Tile>
      <Tile name={words.openTickets} value={tickets.open + tickets.closing}>
        {words.nClosed(tickets.closed)}
      </Tile>
      <Tile
        name={words.deliveredLastHour}
        value={delivered}
        side={<Sparkline overview={overview} label={words.lastHour} />}
      >
        {isBehind
          ? words.countedUntil(times.clock(countedUntil, nowMs))
          : delivered > 0
            ? lag.map((line) => (
                <span key={line} class="sub">
                  {line}
                </span>
              ))
            : died > 0
              ? words.nDead(died)
              : words.quietHour}
      </Tile>
    </>
  );
}

type TileProps = {
  name: string;
  value: number | string;
  tone?: string;
  side?: ComponentChildren;
  children?: ComponentChildren;
};

function Tile({ name, value, tone = "", side, children }: TileProps) {
  return (
    <div class={`tile ${tone && `tile-${tone}`}`}>
      <dt>{name}</dt>
      <dd>
        <span class="tile-line">
          <strong>{typeof value === "number" ? useWords().n(value) : value}</strong>
          {side}
        </span>
        <span class="sub">{children}</span>
      </dd>
    </div>
  );
}

function lastHour(minutes: Minute[]): { delivered: number; died: number } {
  const lanes = minutes.flatMap(({ toDesk, toDolphins }) => [toDesk, toDolphins]);
  const sum = (of: "delivered" | "dead") => lanes.reduce((total, lane) => total + lane[of], 0);
  return { delivered: sum("delivered"), died: sum("dead") };
}

import { readTicket } from "../api/relay";
import type { DeadLetter, TimelineMessage } from "../api/types";
import { useEvery } from "../lib/every";
import { useLoad } from "../lib/load";
import { ticketHref } from "../lib/route";
import { Notice } from "../parts/notice";
import { MessageState } from "../parts/state";
import { useHappenings, useTenant } from "../tenant/context";
import { useWords } from "../words/language";

export type Replayed = { id: string; letter: DeadLetter | undefined };

/** Followed one by one; the rest of a large replay shows in the counts. */
const FOLLOWED = 10;
const EVERY_MS = 2000;

type Followed = Pick<DeadLetter, "id" | "ticketNumber" | "customerName" | "lane" | "sequence"> & {
  state: TimelineMessage["state"];
};

/** What becomes of the messages that were just sent again, as it happens. */
export function Aftermath({ replayed, onClose }: { replayed: Replayed[]; onClose: () => void }) {
  const words = useWords();
  const { tenant, subscribe } = useTenant();
  const { owner } = tenant;
  const letters = replayed.flatMap(({ letter }) => letter ?? []).slice(0, FOLLOWED);
  const { data: followed = [], reload } = useLoad(`after ${letters.map(({ id }) => id).join()}`, (signal) =>
    Promise.all(letters.map((letter) => follow(owner, letter, signal))),
  );
  const isOver = followed.length > 0 && followed.every(({ state }) => state !== "waiting");
  useEvery(isOver ? undefined : EVERY_MS, reload);
  useHappenings(subscribe, reload);
  const delivered = followed.filter(({ state }) => state === "delivered").length;
  return (
    <Notice tone={toneOf(isOver, delivered === followed.length)}>
      <p>
        <strong>{words.replay.done(replayed.length)}</strong>{" "}
        {words.replay.delivered(delivered, followed.length, replayed.length)}
      </p>
      <ul class="followed">
        {followed.map(({ id, ticketNumber, customerName, lane, sequence, state }) => (
          <li key={id}>
            <MessageState state={state} />
            <a href={ticketHref(owner, ticketNumber)}>{customerName || ticketNumber}</a>
            <span class="muted">{words.messageInLane(sequence, words.lane[lane])}</span>
          </li>
        ))}
      </ul>
      <button type="button" class="small" onClick={onClose}>
        {words.close}
      </button>
    </Notice>
  );
}

const toneOf = (isOver: boolean, isGood: boolean) => (isOver ? (isGood ? "good" : "warn") : "info");

async function follow(owner: string, letter: DeadLetter, signal: AbortSignal): Promise<Followed> {
  const { id, ticketNumber, customerName, lane, sequence } = letter;
  const { messages } = await readTicket(owner, ticketNumber, { lane, before: sequence + 1 }, signal);
  const state = messages.find((message) => message.id === id)?.state ?? "waiting";
  return { id, ticketNumber, customerName, lane, sequence, state };
}

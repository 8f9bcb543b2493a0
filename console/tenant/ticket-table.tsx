import { memo } from "preact/compat";
import { LANES, type TicketSummary } from "../api/types";
import { ticketHref } from "../lib/route";
import { LaneCounts, TicketStateBadge } from "../parts/state";
import { Age, For, Time, Until } from "../parts/time";
import { useWords } from "../words/language";

export function TicketTable({ owner, tickets }: { owner: string; tickets: TicketSummary[] }) {
  const words = useWords();
  return (
    <table class="list">
      <caption class="sr-only">{words.tab.tickets}</caption>
      <thead>
        <tr>
          <th scope="col">{words.tickets.customer}</th>
          <th scope="col">{words.tickets.state}</th>
          {LANES.map((lane) => (
            <th key={lane} scope="col">
              {words.laneShort[lane]}
            </th>
          ))}
          <th scope="col">{words.waiting}</th>
          <th scope="col">{words.tickets.opened}</th>
        </tr>
      </thead>
      <tbody>
        {tickets.map((ticket) => (
          <TicketRow key={ticket.ticketNumber} owner={owner} ticket={ticket} />
        ))}
      </tbody>
    </table>
  );
}

type RowProps = { owner: string; ticket: TicketSummary };

/** Drawn again only when its ticket is another: the list may be long, and events come often. */
const TicketRow = memo(Row, (before: RowProps, after: RowProps) => before.ticket === after.ticket);

function Row({ owner, ticket }: RowProps) {
  const words = useWords();
  const { ticketNumber, customerName, contactId, channel, lanes, waitingSince, nextAttemptAt } = ticket;
  return (
    <tr>
      <th scope="row">
        <a class="row-link" dir="auto" href={ticketHref(owner, ticketNumber)}>
          {customerName.trim() || ticketNumber}
        </a>
        <span class="sub">
          <span class="mono">{ticketNumber}</span> <span class="channel">{channel}</span>
        </span>
        {contactId !== "" && (
          <span class="sub contact">
            {words.ticket.contact} <span class="mono">{contactId}</span>
          </span>
        )}
      </th>
      <td>
        <TicketStateBadge state={ticket.state} />
      </td>
      {LANES.map((lane) => (
        <td key={lane} data-label={words.laneShort[lane]}>
          <LaneCounts lane={lane} counts={lanes[lane]} />
        </td>
      ))}
      <td data-label={waitingSince === undefined ? undefined : words.waiting}>
        {waitingSince !== undefined && (
          <span class="count-waiting">
            <For since={waitingSince} />
          </span>
        )}
        {nextAttemptAt !== undefined && (
          <span class="sub">
            {words.tickets.next} <Until at={nextAttemptAt} />
          </span>
        )}
      </td>
      <td data-label={words.tickets.opened}>
        <Time at={ticket.openedAt} />
        <span class="sub">
          <Age at={ticket.openedAt} />
        </span>
      </td>
    </tr>
  );
}

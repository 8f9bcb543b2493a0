import { useEffect, useState } from "preact/hooks";
import { listTickets } from "../api/relay";
import type { TicketEvent, TicketSummary } from "../api/types";
import { useDebounced } from "../lib/every";
import { usePages } from "../lib/pages";
import { tenantHref } from "../lib/route";
import { replaceHref } from "../lib/use-route";
import { PageHeading } from "../parts/heading";
import { Empty, ErrorNotice, Loading } from "../parts/notice";
import { useWords } from "../words/language";
import { useHappenings, useTenant } from "./context";
import { TicketTable } from "./ticket-table";

const FILTERS = ["", "waiting", "dead", "open", "closing", "closed"] as const;

/** After the last key: who types a name does not ask for each of its letters. */
const TYPING_MS = 250;

/** The filter stands in the address: a link leads to it, and going back finds it again. */
export function TicketsTab({ query }: { query: URLSearchParams }) {
  const words = useWords();
  const { tenant, subscribe } = useTenant();
  const { owner, name } = tenant;
  const state = query.get("state") ?? "";
  const q = query.get("q") ?? "";
  const pages = usePages<TicketSummary>(`tickets ${owner} ${state} ${q}`, (before, signal) =>
    listTickets(owner, { state, q, before }, signal),
  );
  const [text, setText] = useState(q);
  useEffect(() => setText(q), [q]);
  const search = useDebounced(() => replaceHref(tenantHref(owner, "tickets", { state, q: text.trim() })), TYPING_MS);
  const isNewestFirst = state === "" && q === "";
  useHappenings(subscribe, (happening) => {
    if (happening.type === "gap") pages.reload();
    else pages.change((tickets) => withEvent(tickets, happening, isNewestFirst));
  });

  return (
    <section>
      <div class="sr-only">
        <PageHeading level={2} title={`${words.tab.tickets}, ${name}`} />
      </div>
      <div class="toolbar">
        <form class="search" role="search" onSubmit={(event) => event.preventDefault()}>
          <label class="sr-only" for="ticket-search">
            {words.tickets.search}
          </label>
          <input
            id="ticket-search"
            type="search"
            placeholder={words.tickets.search}
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              search();
            }}
          />
        </form>
        <nav class="chips" aria-label={words.tickets.filter}>
          {FILTERS.map((filter) => (
            <a
              key={filter}
              href={tenantHref(owner, "tickets", { state: filter, q })}
              aria-current={filter === state ? "true" : undefined}
            >
              {filter === "" ? words.tickets.all : words.filter[filter]}
            </a>
          ))}
        </nav>
      </div>
      {pages.error && <ErrorNotice error={pages.error} retry={pages.reload} />}
      {pages.items.length > 0 && <TicketTable owner={owner} tickets={pages.items} />}
      {pages.items.length === 0 && pages.isLoading && <Loading />}
      {pages.items.length === 0 && !pages.isLoading && !pages.error && (
        <Empty>{state === "waiting" && q === "" ? words.tickets.noneWaits : words.tickets.none}</Empty>
      )}
      {pages.items.length > 0 && (
        <p class="list-end" role="status">
          {words.tickets.shown(pages.items.length, pages.more !== undefined)}
        </p>
      )}
      {pages.more && (
        <button type="button" class="more" disabled={pages.isLoading} onClick={pages.more}>
          {words.loadMore}
        </button>
      )}
    </section>
  );
}

/** The list after an event of one ticket; a new one goes to the top where that is its place. */
function withEvent(tickets: TicketSummary[], event: TicketEvent, isNewestFirst: boolean): TicketSummary[] {
  if (event.type === "gone") return tickets.filter(({ ticketNumber }) => ticketNumber !== event.ticketNumber);
  const { ticket } = event;
  const at = tickets.findIndex(({ ticketNumber }) => ticketNumber === ticket.ticketNumber);
  if (at >= 0) return tickets.with(at, ticket);
  const isNew = isNewestFirst && ticket.openedAt > (tickets[0]?.openedAt ?? "");
  return isNew ? [ticket, ...tickets] : tickets;
}

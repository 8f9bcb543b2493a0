import type { ComponentChildren } from "preact";
import type { TicketView } from "../api/types";
import { tenantHref, tenantsHref } from "../lib/route";
import { CopyButton } from "../parts/copy";
import { PageHeading } from "../parts/heading";
import { TicketStateBadge } from "../parts/state";
import { LinkMark } from "../tenant/link-mark";
import { useTenant } from "../tenant/context";
import { useTimes, useWords } from "../words/language";

export function TicketHead({ ticket, children }: { ticket: TicketView["ticket"]; children: ComponentChildren }) {
  const words = useWords();
  const times = useTimes();
  const { tenant } = useTenant();
  const { ticketNumber, customerName, channel, contactId, state } = ticket;
  return (
    <>
      <nav class="crumbs" aria-label={words.crumbs}>
        <a href={tenantsHref}>{words.tenants.title}</a> / <a href={tenantHref(tenant.owner)}>{tenant.name}</a>
      </nav>
      <div class="page-top">
        <PageHeading title={`${customerName || ticketNumber} · ${tenant.name}`}>
          <bdi>{customerName.trim() || ticketNumber}</bdi> <TicketStateBadge state={state} />
        </PageHeading>
        <span class="page-actions">
          <LinkMark />
          {children}
        </span>
      </div>
      <p class="info muted">
        <span>
          {words.ticket.number} <span class="mono">{ticketNumber}</span>{" "}
          <CopyButton text={ticketNumber} what={words.ticket.number} />
        </span>
        <span>{channel}</span>
        {contactId !== "" && (
          <span>
            {words.ticket.contact} <span class="mono">{contactId}</span>
          </span>
        )}
        <span>{words.timesIn(times.zoneName)}</span>
      </p>
    </>
  );
}

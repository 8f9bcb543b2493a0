import { useMemo, useState } from "preact/hooks";
import { readOverview, readTenant } from "../api/relay";
import type { Tenant } from "../api/types";
import { DeadLettersTab } from "../dead-letters/dead-letters-tab";
import { useDebounced, useEvery } from "../lib/every";
import { useLoad } from "../lib/load";
import { tenantsHref, type Route } from "../lib/route";
import { PageHeading } from "../parts/heading";
import { ErrorNotice, Loading } from "../parts/notice";
import { SettingsTab } from "../settings/settings-tab";
import { TicketPage } from "../ticket/ticket-page";
import { useWords, ZoneProvider } from "../words/language";
import { TenantContext, useHappenings, useLink, type TenantHold } from "./context";
import { LiveTab } from "./live-tab";
import { TenantHead } from "./tenant-head";
import { TicketsTab } from "./tickets-tab";

type TenantRoute = Extract<Route, { owner: string }>;

const OVERVIEW_MINUTES = 60;
const OVERVIEW_EVERY_MS = 15_000;
/** After an event: many of them are one reading. */
const QUIET_MS = 1000;

/** Around every page of one tenant: its record, its health, and the live word of its tickets. */
export function TenantPage({ owner, route }: { owner: string; route: TenantRoute }) {
  const words = useWords();
  const record = useLoad(`tenant ${owner}`, (signal) => readTenant(owner, signal));
  const overview = useLoad(`overview ${owner}`, (signal) => readOverview(owner, OVERVIEW_MINUTES, signal));
  const { link, subscribe } = useLink(owner);
  useEvery(OVERVIEW_EVERY_MS, overview.reload);
  useHappenings(subscribe, useDebounced(overview.reload, QUIET_MS));

  const [replaced, setReplaced] = useState<Tenant>();
  const tenant = replaced ?? record.data;
  const hold = useMemo<TenantHold | undefined>(
    () => tenant && { tenant, replaceTenant: setReplaced, overview: overview.data, link, subscribe },
    [tenant, overview.data, link],
  );
  if (!hold) {
    return record.error ? (
      <>
        <PageHeading title={owner} />
        <ErrorNotice error={record.error} retry={record.reload} />
        <a href={tenantsHref}>{words.tenants.back}</a>
      </>
    ) : (
      <Loading />
    );
  }
  return (
    <TenantContext.Provider value={hold}>
      <ZoneProvider value={hold.tenant.timeZone}>
        {route.page === "ticket" ? (
          <TicketPage key={route.ticketNumber} ticketNumber={route.ticketNumber} linked={route.message} />
        ) : (
          <>
            <TenantHead tab={route.tab} />
            <TenantTab route={route} />
          </>
        )}
      </ZoneProvider>
    </TenantContext.Provider>
  );
}

function TenantTab({ route }: { route: Extract<TenantRoute, { page: "tenant" }> }) {
  switch (route.tab) {
    case "tickets":
      return <TicketsTab query={route.query} />;
    case "dead-letters":
      return <DeadLettersTab />;
    case "live":
      return <LiveTab />;
    case "settings":
      return <SettingsTab />;
  }
}

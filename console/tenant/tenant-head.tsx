import { TABS, tenantHref, tenantsHref, type Tab } from "../lib/route";
import { CopyButton } from "../parts/copy";
import { useTimes, useWords } from "../words/language";
import { useTenant } from "./context";
import { LinkMark } from "./link-mark";
import { Tiles } from "./tiles";

export function TenantHead({ tab }: { tab: Tab }) {
  const words = useWords();
  const times = useTimes();
  const { tenant, overview } = useTenant();
  const dead = overview?.dead.messages ?? 0;
  return (
    <>
      <nav class="crumbs" aria-label={words.crumbs}>
        <a href={tenantsHref}>{words.tenants.title}</a>
      </nav>
      <div class="page-top">
        <h1>{tenant.name}</h1>
        <LinkMark />
      </div>
      <p class="info muted">
        {tenant.name !== tenant.owner && (
          <span>
            <span class="mono">{tenant.owner}</span> <CopyButton text={tenant.owner} what={words.owner} />
          </span>
        )}
        <span>{words.deskOfType(tenant.desk.type)}</span>
        <span>{words.timesIn(times.zoneName)}</span>
      </p>
      <Tiles />
      <nav class="tabs" aria-label={words.partsOfTenant}>
        {TABS.map((each) => (
          <a key={each} href={tenantHref(tenant.owner, each)} aria-current={each === tab ? "page" : undefined}>
            {words.tab[each]}
            {each === "dead-letters" && dead > 0 && <span class="count-dead pill">{dead}</span>}
          </a>
        ))}
      </nav>
    </>
  );
}

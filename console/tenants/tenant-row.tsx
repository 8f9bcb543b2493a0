import type { Tenant } from "../api/types";
import { tenantHref } from "../lib/route";
import { Sparkline } from "../parts/sparkline";
import { For } from "../parts/time";
import { useWords } from "../words/language";
import type { Health } from "./overviews";

export function TenantRow({ tenant, health }: { tenant: Tenant; health: Health | undefined }) {
  const words = useWords();
  const { owner, name, desk } = tenant;
  return (
    <tr>
      <th scope="row">
        <a class="row-link" href={tenantHref(owner)}>
          {name}
        </a>
        {name !== owner && <span class="sub mono">{owner}</span>}
      </th>
      {typeof health === "object" ? (
        <HealthCells owner={owner} health={health} />
      ) : (
        <td colSpan={2} class="muted">
          {health === undefined ? "…" : words.tenants.unknown}
        </td>
      )}
      <td data-label={words.tenants.desk}>{desk.type}</td>
      <td class="spark-column">
        {typeof health === "object" && <Sparkline overview={health} label={words.lastHour} />}
      </td>
    </tr>
  );
}

function HealthCells({ owner, health: { waiting, dead } }: { owner: string; health: Exclude<Health, string> }) {
  const words = useWords();
  return (
    <>
      <td data-label={words.waiting}>
        {waiting.messages === 0 ? (
          <Nothing />
        ) : (
          <a class="count-waiting" href={tenantHref(owner, "tickets", { state: "waiting" })}>
            {words.n(waiting.messages)}
          </a>
        )}
        {waiting.oldestSince !== undefined && (
          <span class="sub">
            {words.oldest} <For since={waiting.oldestSince} />
          </span>
        )}
      </td>
      <td data-label={words.dead}>
        {dead.messages === 0 ? (
          <Nothing />
        ) : (
          <a class="count-dead" href={tenantHref(owner, "dead-letters")}>
            {words.n(dead.messages)}
          </a>
        )}
        {dead.messages > 0 && <span class="sub">{words.inTickets(dead.tickets)}</span>}
      </td>
    </>
  );
}

/** Nothing is the good case: it is said, and does not draw the eye. */
function Nothing() {
  return <span class="nothing">0</span>;
}

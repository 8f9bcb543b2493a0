import { useState } from "preact/hooks";
import { listTenants } from "../api/relay";
import type { Tenant } from "../api/types";
import { usePages } from "../lib/pages";
import { newTenantHref } from "../lib/route";
import { useMay } from "../operator";
import { PageHeading } from "../parts/heading";
import { Empty, ErrorNotice, Loading } from "../parts/notice";
import { useWords } from "../words/language";
import { RelayHealth } from "./relay-health";
import { useOverviews, type Health } from "./overviews";
import { TenantRow } from "./tenant-row";

const inTrouble = (health: Health | undefined): boolean =>
  typeof health === "object" && health.waiting.messages + health.dead.messages > 0;

/** All tenants, with what an operator looks for first: what waits, and what is dead. */
export function TenantsPage() {
  const words = useWords();
  const pages = usePages<Tenant>("tenants", listTenants);
  const overviews = useOverviews(pages.items.map(({ owner }) => owner));
  const mayAdd = useMay("admin");
  const [text, setText] = useState("");
  const [onlyTrouble, setOnlyTrouble] = useState(false);
  const unknown = pages.items.filter(({ owner }) => overviews.get(owner) === "unknown");
  const troubled = pages.items.filter(({ owner }) => inTrouble(overviews.get(owner)));
  const wanted = text.trim().toLowerCase();
  const shown = (onlyTrouble ? [...troubled, ...unknown] : pages.items).filter(({ owner, name }) =>
    `${name} ${owner}`.toLowerCase().includes(wanted),
  );

  return (
    <>
      <div class="page-top">
        <PageHeading title={words.tenants.title} />
        {mayAdd && (
          <a class="button primary" href={newTenantHref}>
            {words.tenants.add}
          </a>
        )}
      </div>
      <RelayHealth />
      <div class="toolbar">
        <label class="search">
          <span class="sr-only">{words.tenants.filter}</span>
          <input
            type="search"
            placeholder={words.tenants.filter}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={onlyTrouble}
            onChange={(event) => setOnlyTrouble(event.currentTarget.checked)}
          />
          {words.tenants.onlyTrouble}
        </label>
        <p class="muted" role="status">
          {overviews.size > 0 && words.tenants.trouble(troubled.length, unknown.length, pages.items.length)}
        </p>
      </div>
      {pages.error && <ErrorNotice error={pages.error} retry={pages.reload} />}
      {pages.items.length === 0 && pages.isLoading && <Loading />}
      {pages.items.length === 0 && !pages.isLoading && !pages.error && <Empty>{words.tenants.none}</Empty>}
      {pages.items.length > 0 && shown.length === 0 && <Empty>{words.tenants.noneShown}</Empty>}
      {shown.length > 0 && (
        <table class="list">
          <caption class="sr-only">{words.tenants.title}</caption>
          <thead>
            <tr>
              <th scope="col">{words.tenants.tenant}</th>
              <th scope="col">{words.waiting}</th>
              <th scope="col">{words.dead}</th>
              <th scope="col">{words.tenants.desk}</th>
              <th scope="col" class="spark-column">
                {words.lastHour}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((tenant) => (
              <TenantRow key={tenant.owner} tenant={tenant} health={overviews.get(tenant.owner)} />
            ))}
          </tbody>
        </table>
      )}
      {pages.more && (
        <button type="button" class="more" disabled={pages.isLoading} onClick={pages.more}>
          {words.loadMore}
        </button>
      )}
    </>
  );
}

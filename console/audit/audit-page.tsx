import { useEffect, useState } from "preact/hooks";
import { auditExportUrl, listAudit, verifyAudit } from "../api/relay";
import type { AuditEntry } from "../api/types";
import { useDebounced } from "../lib/every";
import { useLoad } from "../lib/load";
import { usePages } from "../lib/pages";
import { auditHref } from "../lib/route";
import { replaceHref } from "../lib/use-route";
import { PageHeading } from "../parts/heading";
import { Empty, ErrorNotice, Loading, Notice } from "../parts/notice";
import { useWords } from "../words/language";
import { AuditTable } from "./audit-table";

/** After the last key. */
const TYPING_MS = 400;

/** Who did or read what. The filter stands in the address: a link leads to it. */
export function AuditPage({ query }: { query: URLSearchParams }) {
  const words = useWords();
  const owner = query.get("owner") ?? "";
  const actor = query.get("actor") ?? "";
  const pages = usePages<AuditEntry>(`audit ${owner} ${actor}`, (before, signal) =>
    listAudit({ owner, actor, before }, signal),
  );
  const [typed, setTyped] = useState({ owner, actor });
  useEffect(() => setTyped({ owner, actor }), [owner, actor]);
  const search = useDebounced(
    () => replaceHref(auditHref({ owner: typed.owner.trim(), actor: typed.actor.trim() })),
    TYPING_MS,
  );
  const field = (name: "owner" | "actor", label: string) => (
    <label class="search">
      <span class="sr-only">{label}</span>
      <input
        type="search"
        placeholder={label}
        value={typed[name]}
        spellcheck={false}
        onInput={(event) => {
          setTyped({ ...typed, [name]: event.currentTarget.value });
          search();
        }}
      />
    </label>
  );

  return (
    <>
      <div class="page-top">
        <PageHeading title={words.audit.title} />
        <a class="button" href={auditExportUrl({ owner, actor })} download="audit.ndjson">
          {words.audit.export}
        </a>
      </div>
      <p class="muted">{words.audit.lead}</p>
      <ChainMark />
      <form class="toolbar" role="search" onSubmit={(event) => event.preventDefault()}>
        {field("owner", words.audit.byOwner)}
        {field("actor", words.audit.byActor)}
      </form>
      {pages.error && <ErrorNotice error={pages.error} retry={pages.reload} />}
      {pages.items.length === 0 && pages.isLoading && <Loading />}
      {pages.items.length === 0 && !pages.isLoading && !pages.error && <Empty>{words.audit.none}</Empty>}
      {pages.items.length > 0 && <AuditTable entries={pages.items} />}
      {pages.more && (
        <button type="button" class="more" disabled={pages.isLoading} onClick={pages.more}>
          {words.loadMore}
        </button>
      )}
    </>
  );
}

/** Whether the log is as it was written. */
function ChainMark() {
  const words = useWords();
  const { data, error, reload } = useLoad("audit chain", verifyAudit);
  if (error) return <ErrorNotice error={error} retry={reload} />;
  if (!data) return <Loading />;
  return data.firstBroken === undefined ? (
    <Notice tone="good">{words.audit.whole(Math.max(0, data.last - data.first + 1))}</Notice>
  ) : (
    <Notice tone="bad">{words.audit.broken(data.firstBroken)}</Notice>
  );
}

import type { AuditEntry } from "../api/types";
import { tenantHref, ticketHref } from "../lib/route";
import { LongText } from "../parts/long-text";
import { Age, Time } from "../parts/time";
import { useWords } from "../words/language";

export function AuditTable({ entries }: { entries: AuditEntry[] }) {
  const words = useWords();
  return (
    <table class="list">
      <caption class="sr-only">{words.audit.title}</caption>
      <thead>
        <tr>
          <th scope="col">{words.audit.what}</th>
          <th scope="col">{words.audit.who}</th>
          <th scope="col">{words.audit.where}</th>
          <th scope="col">{words.audit.when}</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <Row key={entry.seq} entry={entry} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ entry }: { entry: AuditEntry }) {
  const words = useWords();
  const { actor, action, outcome, address, at, seq } = entry;
  const how =
    actor.role === undefined ? words.audit.by(actor.by) : `${words.role[actor.role]}, ${words.audit.by(actor.by)}`;
  return (
    <tr>
      <th scope="row">
        {words.audit.action(action)} {outcome !== "ok" && <span class="badge badge-dead">{outcome}</span>}
        <span class="sub">
          <span class="mono">{seq}</span> <About entry={entry} />
        </span>
        <More entry={entry} />
      </th>
      <td data-label={words.audit.who}>
        {actor.name}
        <span class="sub">{how}</span>
      </td>
      <td data-label={words.audit.where} class="mono">
        {address ?? "–"}
      </td>
      <td data-label={words.audit.when}>
        <Time at={at} />
        <span class="sub">
          <Age at={at} />
        </span>
      </td>
    </tr>
  );
}

/** The tenant it was about, and the ticket. */
function About({ entry: { owner, ticketNumber } }: { entry: AuditEntry }) {
  if (owner === undefined) return null;
  return (
    <>
      <a class="mono" href={tenantHref(owner)}>
        {owner}
      </a>
      {ticketNumber !== undefined && (
        <>
          {" / "}
          <a class="mono" href={ticketHref(owner, ticketNumber)}>
            {ticketNumber}
          </a>
        </>
      )}
    </>
  );
}

function More({ entry: { changes = [], details = {} } }: { entry: AuditEntry }) {
  const told = Object.entries(details);
  if (changes.length + told.length === 0) return null;
  return (
    <ul class="changed">
      {told.map(([name, value]) => (
        <li key={name}>
          {name}: {String(value)}
        </li>
      ))}
      {changes.map(({ path, before, after }) => (
        <li key={path}>
          {path !== "" && <code>{path}</code>} <LongText text={`${textOf(before)} → ${textOf(after)}`} />
        </li>
      ))}
    </ul>
  );
}

const textOf = (value: unknown): string =>
  value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value);

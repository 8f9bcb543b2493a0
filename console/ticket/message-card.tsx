import { useState } from "preact/hooks";
import type { TimelineMessage } from "../api/types";
import { ticketHref } from "../lib/route";
import { LongText } from "../parts/long-text";
import { MessageState } from "../parts/state";
import { Age, Time } from "../parts/time";
import { useTenant } from "../tenant/context";
import { useWords } from "../words/language";
import { Attempts } from "./attempts";
import { contentOf } from "./content";

/** One message: what it says, how it stands, and every attempt to deliver it. */
export function MessageCard({ ticketNumber, message }: { ticketNumber: string; message: TimelineMessage }) {
  const words = useWords();
  const { owner } = useTenant().tenant;
  const { lane, sequence, kind, state, acceptedAt, suspectedDuplicate, attempts, event, id } = message;
  return (
    <article
      id={id}
      tabIndex={-1}
      class={`message message-${state} message-${lane}`}
      aria-label={words.messageInLane(sequence, words.lane[lane])}
    >
      <header>
        {sequence !== undefined && <strong class="sequence">#{sequence}</strong>}
        <MessageState state={state} />
        {kind !== "incoming" && kind !== "outgoing" && <span class="badge">{words.kind[kind]}</span>}
        {suspectedDuplicate && (
          <span class="badge" title={words.duplicateHint}>
            {words.duplicate}
          </span>
        )}
        <span class="when">
          <a href={ticketHref(owner, ticketNumber, id)} aria-label={words.linkHere}>
            <Time at={acceptedAt} />
          </a>{" "}
          <Age at={acceptedAt} />
        </span>
      </header>
      <MessageContent message={message} />
      <Attempts attempts={attempts} />
      <Raw id={id} event={event} />
    </article>
  );
}

type Content = Pick<TimelineMessage, "kind" | "event" | "unreadable">;

export function MessageContent({ message: { kind, event, unreadable } }: { message: Content }) {
  const words = useWords();
  const { type, text, link, open, reason } = contentOf(kind, event);
  return (
    <>
      {unreadable !== undefined && <p class="muted">{words.unreadable(unreadable)}</p>}
      {reason !== undefined && <p class="muted">{words.replyFailed(reason)}</p>}
      {type !== "text" && type !== "" && <span class="type">{type}</span>}
      {text !== "" && <LongText text={text} />}
      {/* The address is no link: what a customer sent is not to be opened by a slip. */}
      {link !== "" && <p class="text mono small">{link}</p>}
      {open && (
        <p>
          <a class="small" href={open.href} target="_blank" rel="noopener noreferrer external">
            {open.what === "file" ? words.openFile : words.openMap}
          </a>
        </p>
      )}
    </>
  );
}

/** The whole event, written out only when it is asked for: it may be long. */
function Raw({ id, event }: { id: string; event: unknown }) {
  const words = useWords();
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="raw" onToggle={(toggle) => setOpen(toggle.currentTarget.open)}>
      <summary>{words.wholeEvent}</summary>
      {isOpen && (
        <>
          <p class="sub mono">{id}</p>
          <pre>{JSON.stringify(event, undefined, 2)}</pre>
        </>
      )}
    </details>
  );
}

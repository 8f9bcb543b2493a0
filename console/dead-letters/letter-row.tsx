import { useState } from "preact/hooks";
import type { DeadLetter } from "../api/types";
import { masked } from "../lib/mask";
import { ticketHref } from "../lib/route";
import { Age, Time } from "../parts/time";
import { useTenant } from "../tenant/context";
import { Attempts } from "../ticket/attempts";
import { contentOf } from "../ticket/content";
import { MessageContent } from "../ticket/message-card";
import { useWords } from "../words/language";

/** Without `onChoose` it cannot be selected. */
type Props = {
  letter: DeadLetter;
  isChosen: boolean;
  onChoose: ((id: string, isChosen: boolean) => void) | undefined;
};

export function LetterRow({ letter, isChosen, onChoose }: Props) {
  const words = useWords();
  const { tenant } = useTenant();
  const [isOpen, setOpen] = useState(false);
  const { id, ticketNumber, customerName, lane, sequence, acceptedAt, attempts, reason, kind, event } = letter;
  const { type, text, link } = contentOf(kind, event);
  const name = words.messageInLane(sequence, words.lane[lane]);
  return (
    <li class="letter">
      {onChoose && (
        <input
          type="checkbox"
          aria-label={words.deadLetters.select(customerName || ticketNumber, name)}
          checked={isChosen}
          onChange={(change) => onChoose(id, change.currentTarget.checked)}
        />
      )}
      <div class="letter-main">
        <p class="letter-head">
          <a dir="auto" href={ticketHref(tenant.owner, ticketNumber, id)}>
            {customerName || ticketNumber}
          </a>
          <span>
            <span class={`lane-mark lane-mark-${lane}`} aria-hidden="true" />
            {name}
          </span>
          <span class="badge badge-dead">{words.reason(reason)}</span>
          <span class="when">
            <Time at={acceptedAt} /> <Age at={acceptedAt} />
          </span>
        </p>
        {!isOpen && (
          <p dir="auto" class="one-line">
            {masked(text) || link || type}
          </p>
        )}
        <p class="error one-line">{attempts.at(-1)?.error}</p>
        {isOpen && (
          <div class="preview">
            <p class="sub mono">{ticketNumber}</p>
            <MessageContent message={letter} />
            <Attempts attempts={attempts} />
          </div>
        )}
      </div>
      <button
        type="button"
        class="quiet small"
        aria-expanded={isOpen}
        aria-label={words.deadLetters.preview(name)}
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen ? words.deadLetters.hide : words.deadLetters.show}
      </button>
    </li>
  );
}

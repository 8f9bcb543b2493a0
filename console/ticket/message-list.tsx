import { LANES, type TimelineMessage } from "../api/types";
import { Empty } from "../parts/notice";
import { useWords } from "../words/language";
import { MessageCard } from "./message-card";

type Props = { ticketNumber: string; messages: TimelineMessage[]; older: (() => void) | undefined };

/** Two swim-lanes: a column for each direction, and time running down through both. */
export function MessageList({ ticketNumber, messages, older }: Props) {
  const words = useWords();
  return (
    <section class="swim" aria-label={words.ticket.messages}>
      <div class="swim-heads" aria-hidden="true">
        {LANES.map((lane) => (
          <span key={lane}>
            <span class={`lane-mark lane-mark-${lane}`} />
            {words.lane[lane]}
          </span>
        ))}
      </div>
      {older && (
        <button type="button" class="more" onClick={older}>
          {words.ticket.older}
        </button>
      )}
      {messages.length === 0 && <Empty>{words.ticket.none}</Empty>}
      <ol class="swim-list">
        {messages.map((message) => (
          <li key={message.id} class={`swim-${message.lane}`}>
            <MessageCard ticketNumber={ticketNumber} message={message} />
          </li>
        ))}
      </ol>
    </section>
  );
}

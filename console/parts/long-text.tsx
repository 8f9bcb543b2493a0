import { useState } from "preact/hooks";
import { useWords } from "../words/language";

/** Shown at first of a text: a page of messages must not drown in one of them. */
const SHORT = 600;

/** A text of whatever length, as a text: whatever stands in it is never markup. */
export function LongText({ text, class: name = "text" }: { text: string; class?: string }) {
  const words = useWords();
  const [whole, setWhole] = useState(false);
  if (text.length <= SHORT) return <p class={name}>{text}</p>;
  return (
    <>
      <p class={`${name}${whole ? " long" : ""}`}>{whole ? text : `${text.slice(0, SHORT)}…`}</p>
      <button type="button" class="quiet small" aria-expanded={whole} onClick={() => setWhole(!whole)}>
        {whole ? words.showLess : words.showAll(text.length)}
      </button>
    </>
  );
}

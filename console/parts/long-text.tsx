import { useState } from "preact/hooks";
import { masked } from "../lib/mask";
import { useWords } from "../words/language";

/** Shown at first of a text: a page of messages must not drown in one of them. */
const SHORT = 600;

/** A text of whatever length, as a text: whatever stands in it is never markup. Card numbers and codes are covered. */
export function LongText({ text, class: name = "text" }: { text: string; class?: string }) {
  const words = useWords();
  const [whole, setWhole] = useState(false);
  const [isOpen, setOpen] = useState(false);
  const covered = masked(text);
  const shown = isOpen ? text : covered;
  const isLong = text.length > SHORT;
  return (
    <>
      <p dir="auto" class={`${name}${isLong && whole ? " long" : ""}`}>
        {isLong && !whole ? `${shown.slice(0, SHORT)}…` : shown}
      </p>
      {isLong && (
        <button type="button" class="quiet small" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? words.showLess : words.showAll(text.length)}
        </button>
      )}
      {covered !== text && (
        <button type="button" class="quiet small" aria-pressed={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? words.coverDigits : words.showDigits}
        </button>
      )}
    </>
  );
}

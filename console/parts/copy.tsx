import { useState } from "preact/hooks";
import { useWords } from "../words/language";

const SAID_FOR_MS = 2000;

/** Copies a text, and says that it did. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const words = useWords();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SAID_FOR_MS);
  };
  return (
    <button type="button" class="quiet small" aria-label={words.copyWhat(what)} onClick={() => void copy()}>
      <span aria-live="polite">{copied ? words.copied : words.copy}</span>
    </button>
  );
}

import type { Language } from "./lib/times";
import { useLanguage } from "./words/language";

const NAMES: [Language, string, string][] = [
  ["en", "EN", "English"],
  ["id", "ID", "Bahasa Indonesia"],
];

export function LanguageSwitch() {
  const { language, words, choose } = useLanguage();
  return (
    <span class="switch" role="group" aria-label={words.language}>
      {NAMES.map(([code, short, name]) => (
        <button
          key={code}
          type="button"
          lang={code}
          title={name}
          aria-label={`${short}, ${name}`}
          aria-pressed={language === code}
          onClick={() => choose(code)}
        >
          {short}
        </button>
      ))}
    </span>
  );
}

import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";
import { timesIn, type Language, type Times } from "../lib/times";
import { en, type Words } from "./en";
import { id } from "./id";

const DICTIONARIES: Record<Language, Words> = { en, id };
const KEY = "dolphin-relay.language";

type Choice = { language: Language; words: Words; choose: (language: Language) => void };

const LanguageContext = createContext<Choice>({ language: "en", words: en, choose: () => {} });
const ZoneContext = createContext(Intl.DateTimeFormat().resolvedOptions().timeZone);

function preferred(): Language {
  const kept = localStorage.getItem(KEY);
  if (kept === "en" || kept === "id") return kept;
  return navigator.language.toLowerCase().startsWith("id") ? "id" : "en";
}

export function LanguageProvider({ children }: { children: ComponentChildren }) {
  const [language, setLanguage] = useState(preferred);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const choice = useMemo<Choice>(
    () => ({
      language,
      words: DICTIONARIES[language],
      choose: (chosen) => {
        localStorage.setItem(KEY, chosen);
        setLanguage(chosen);
      },
    }),
    [language],
  );
  return <LanguageContext.Provider value={choice}>{children}</LanguageContext.Provider>;
}

export const useLanguage = (): Choice => useContext(LanguageContext);
export const useWords = (): Words => useContext(LanguageContext).words;

/** Times inside it are a tenant's; outside, the browser's. */
export const ZoneProvider = ZoneContext.Provider;
export const useTimes = (): Times => timesIn(useLanguage().language, useContext(ZoneContext));

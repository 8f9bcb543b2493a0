import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { signOut } from "./api/relay";
import type { Session } from "./api/types";
import { LanguageSwitch } from "./language-switch";
import { tenantsHref, type Route } from "./lib/route";
import { focusHeading } from "./parts/heading";
import { useWords } from "./words/language";

type Props = { route: Route; session: Session; onSignedOut: () => void; children: ComponentChildren };

/** What stands around every page. */
export function Shell({ route, session, onSignedOut, children }: Props) {
  const words = useWords();
  const main = useRef<HTMLElement>(null);
  const place = placeOf(route);
  const before = useRef(place);
  useEffect(() => {
    if (before.current === place) return;
    before.current = place;
    scrollTo({ top: 0 });
    focusHeading();
  }, [place]);

  useEffect(() => {
    const timer = setTimeout(onSignedOut, Math.max(0, Date.parse(session.expiresAt) - Date.now()));
    return () => clearTimeout(timer);
  }, [session.expiresAt]);

  const leave = async () => {
    // Whatever comes of it, nothing of the tenants stays on the screen.
    await signOut().catch(() => undefined);
    onSignedOut();
  };

  const skip = (event: Event) => {
    // As a link's target it would be taken for a page.
    event.preventDefault();
    main.current?.focus();
  };

  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        {words.skip}
      </a>
      <header class="top">
        <a class="brand" href={tenantsHref}>
          <img src="/console/icon.svg" alt="" width={24} height={24} /> dolphin-relay
        </a>
        <div class="top-actions">
          <LanguageSwitch />
          <button type="button" class="quiet" onClick={() => void leave()}>
            {words.signOut}
          </button>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      <footer>
        <a href="/docs">{words.apiReference}</a>
      </footer>
    </>
  );
}

/** Which page it is, whatever is filtered on it. */
function placeOf(route: Route): string {
  switch (route.page) {
    case "tenant":
      return `${route.page} ${route.owner} ${route.tab}`;
    case "ticket":
      return `${route.page} ${route.owner} ${route.ticketNumber}`;
    default:
      return route.page;
  }
}

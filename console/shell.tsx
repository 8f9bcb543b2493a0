import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { readSession, signOut } from "./api/relay";
import { LanguageSwitch } from "./language-switch";
import { auditHref, tenantsHref, type Route } from "./lib/route";
import { useOperator } from "./operator";
import { focusHeading } from "./parts/heading";
import { useWords } from "./words/language";

type Props = { route: Route; onSignedOut: () => void; children: ComponentChildren };

/** Cloudflare's own, on every host that Access stands before. */
const ACCESS_LOGOUT = "/cdn-cgi/access/logout";

/** What stands around every page. */
export function Shell({ route, onSignedOut, children }: Props) {
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

  const { name, role, by } = useOperator();
  useEffect(() => {
    if (by !== "session") return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const endInTime = async () => {
      const { expiresAt } = await readSession();
      timer = setTimeout(onSignedOut, Math.max(0, Date.parse(expiresAt) - Date.now()));
    };
    // Without it the next request says so.
    endInTime().catch(() => undefined);
    return () => clearTimeout(timer);
  }, [by]);

  const leave = async () => {
    if (by === "access") {
      location.href = ACCESS_LOGOUT;
      return;
    }
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
          <a href={auditHref()} aria-current={route.page === "audit" ? "page" : undefined}>
            {words.audit.title}
          </a>
          <span class="muted operator" title={words.role[role]}>
            {name}
          </span>
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

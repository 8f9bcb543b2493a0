import { useEffect, useState } from "preact/hooks";
import { parseRoute, type Route } from "./route";

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}

/** Another address for the same page: no step in the history, and the page follows. */
export function replaceHref(href: string): void {
  if (href !== location.hash) location.replace(href);
}

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

/** The heading that names the page: the focus goes to it on navigation, and the window is called by it. */
export function PageHeading({
  level = 1,
  title,
  children,
}: {
  level?: 1 | 2;
  title: string;
  children?: ComponentChildren;
}) {
  const Heading = `h${level}` as const;
  useEffect(() => {
    if (isAwaited) focusHeading();
  }, []);
  useEffect(() => {
    document.title = `${title} · dolphin-relay`;
  }, [title]);
  return (
    <Heading tabIndex={-1} data-page-heading>
      {children ?? title}
    </Heading>
  );
}

/** After going elsewhere, who reads by ear or by keyboard starts at what is new; it may have to be read first. */
let isAwaited = false;

export function focusHeading(): void {
  const headings = document.querySelectorAll<HTMLElement>("[data-page-heading]");
  const heading = headings[headings.length - 1];
  isAwaited = heading === undefined;
  heading?.focus();
}

import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { listen, type LinkState } from "../api/events";
import { signedOut } from "../api/call";
import type { Overview, Tenant, TicketEvent } from "../api/types";

/** What happened at the tenant: a ticket's event, or a gap in which events may have been missed. */
export type Happening = TicketEvent | { type: "gap" };

export type TenantHold = {
  tenant: Tenant;
  /** The record as the relay answered when it was put: a new reading may still find the one before. */
  replaceTenant: (tenant: Tenant) => void;
  overview: Overview | undefined;
  link: LinkState;
  /** Calls `handle` for whatever happens, until the returned function is called. */
  subscribe: (handle: (happening: Happening) => void) => () => void;
};

export const TenantContext = createContext<TenantHold | undefined>(undefined);

export function useTenant(): TenantHold {
  const hold = useContext(TenantContext);
  if (!hold) throw new Error("No tenant around this part.");
  return hold;
}

/** Calls `handle` for whatever happens at the tenant. */
export function useHappenings(subscribe: TenantHold["subscribe"], handle: (happening: Happening) => void): void {
  const latest = useRef(handle);
  latest.current = handle;
  useEffect(() => subscribe((happening) => latest.current(happening)), [subscribe]);
}

/** One socket for all parts of a tenant's pages. */
export function useLink(owner: string): Pick<TenantHold, "link" | "subscribe"> {
  const [link, setLink] = useState<LinkState>("connecting");
  const [subscribers] = useState(() => new Set<(happening: Happening) => void>());
  const [subscribe] = useState(() => (handle: (happening: Happening) => void) => {
    subscribers.add(handle);
    return () => {
      subscribers.delete(handle);
    };
  });
  useEffect(() => {
    const publish = (happening: Happening) => {
      for (const handle of subscribers) handle(happening);
    };
    return listen(owner, {
      onEvent: publish,
      onState: setLink,
      onGap: () => publish({ type: "gap" }),
      onSignedOut: signedOut,
    });
  }, [owner]);
  return { link, subscribe };
}

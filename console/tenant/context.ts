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
  /** Calls `see` for whatever happens, until the returned function is called. */
  watch: (see: (happening: Happening) => void) => () => void;
};

export const TenantContext = createContext<TenantHold | undefined>(undefined);

export function useTenant(): TenantHold {
  const hold = useContext(TenantContext);
  if (!hold) throw new Error("No tenant around this part.");
  return hold;
}

/** Calls `see` for whatever happens at the tenant. */
export function useHappenings(watch: TenantHold["watch"], see: (happening: Happening) => void): void {
  const latest = useRef(see);
  latest.current = see;
  useEffect(() => watch((happening) => latest.current(happening)), [watch]);
}

/** One socket for all parts of a tenant's pages. */
export function useLink(owner: string): Pick<TenantHold, "link" | "watch"> {
  const [link, setLink] = useState<LinkState>("connecting");
  const [watchers] = useState(() => new Set<(happening: Happening) => void>());
  const [watch] = useState(() => (see: (happening: Happening) => void) => {
    watchers.add(see);
    return () => {
      watchers.delete(see);
    };
  });
  useEffect(() => {
    const tell = (happening: Happening) => {
      for (const see of watchers) see(happening);
    };
    return listen(owner, {
      onEvent: tell,
      onState: setLink,
      onGap: () => tell({ type: "gap" }),
      onSignedOut: signedOut,
    });
  }, [owner]);
  return { link, watch };
}

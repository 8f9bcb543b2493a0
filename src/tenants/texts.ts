import type { MasterKeys } from "../crypto/derive";
import {
  digestOf,
  keyIdOf,
  openText,
  sealText,
  ticketKeyOf,
  type DataKey,
  type Place,
  type TicketKey,
} from "../crypto/sealed-text";
import { BoundedMap } from "../lib/bounded-map";
import { isRecent } from "../lib/clock";
import { asFarAsSaid, comparable } from "../model/reply";
import type { Result } from "../model/result";
import { newestKey, openKey, type KeptKey } from "./data-key";
import type { Directory } from "./directory";

/** A text as it is kept: sealed, or in clear as releases up to 0.1.0 did. */
export type StoredText = string | ArrayBuffer;

/** Why a text does not open. With `isFinal` nothing that anybody can do brings it back. */
export type Unreadable = { why: string; isFinal: boolean };

/** Whose text it is. */
type Ticket = { owner: string; ticketNumber: string };

type Deps = {
  directory: Directory;
  /** Throws where they are not set. */
  masterKeys: () => MasterKeys;
  /** What the tenant's Registrar says, which alone makes keys. */
  registrar: (owner: string) => {
    dataKeys: (owner: string) => Promise<readonly KeptKey[]>;
    makeDataKey: (owner: string) => Promise<readonly KeptKey[]>;
  };
};

/** How long nobody asks again for a key that is no more. */
const GONE_MS = 30_000;
const goneAtMs = new BoundedMap<string, number>(1000);

const ticketKeys = new BoundedMap<string, Promise<TicketKey>>(5000);

function ticketKey(key: DataKey, { owner, ticketNumber }: Ticket): Promise<TicketKey> {
  const name = JSON.stringify([key.id, owner, ticketNumber]);
  const known = ticketKeys.get(name);
  if (known) return known;
  const made = ticketKeyOf(key, owner, ticketNumber);
  ticketKeys.set(name, made);
  return made;
}

const unreadable = (why: string, isFinal: boolean) => ({ ok: false, error: { why, isFinal } }) as const;

/** Seals and opens what people say. Throws what passes: KV is away, or the settings are not right. */
export class Texts {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The key that a ticket's next texts are sealed under. */
  async keyOf(ticket: Ticket): Promise<TicketKey> {
    const { directory, masterKeys, registrar } = this.#deps;
    const { owner } = ticket;
    const known = await newestKey(masterKeys(), owner, (await directory.dataKeys(owner)) ?? []);
    if (known) return ticketKey(known, ticket);
    const kept = await registrar(owner).makeDataKey(owner);
    directory.rememberDataKeys(owner, kept);
    const made = await newestKey(masterKeys(), owner, kept);
    if (!made) throw new Error("the tenant's data key was made under another MASTER_KEY");
    return ticketKey(made, ticket);
  }

  async seal(ticket: Ticket, place: Place, text: string): Promise<ArrayBuffer> {
    return sealText(await this.keyOf(ticket), place, text);
  }

  /** An event as its ticket takes it. The digest is equal for events that say the same. */
  async sealEvent(ticket: Ticket, place: Place, event: object): Promise<{ event: StoredText; digest: string }> {
    const key = await this.keyOf(ticket);
    const [sealed, digest] = await Promise.all([
      sealText(key, place, JSON.stringify(event)),
      digestOf(key, comparable(place.includes("outgoing") ? asFarAsSaid({ ...event }) : event)),
    ]);
    return { event: sealed, digest };
  }

  async open(ticket: Ticket, place: Place, stored: StoredText): Promise<Result<string, Unreadable>> {
    if (typeof stored === "string") return { ok: true, value: stored };
    const id = keyIdOf(stored);
    if (id === undefined) return unreadable("it is kept in a form that this release does not know", true);
    const kept = await this.#find(ticket.owner, id);
    if (!kept) return unreadable("it is sealed with a key that is no more", true);
    const key = await openKey(this.#deps.masterKeys(), ticket.owner, kept);
    if (!key) return unreadable("the tenant's data key does not open: was MASTER_KEY changed?", false);
    const text = await openText(await ticketKey(key, ticket), place, stored);
    return text === undefined ? unreadable("it was changed, or is another message's", true) : { ok: true, value: text };
  }

  /** KV may not show yet what the Registrar knows. */
  async #find(owner: string, id: string): Promise<KeptKey | undefined> {
    const { directory, registrar } = this.#deps;
    const within = (kept: readonly KeptKey[] | undefined) => kept?.find((one) => one.id === id);
    const known = within(await directory.dataKeys(owner));
    const name = JSON.stringify([owner, id]);
    if (known || isRecent(goneAtMs.get(name) ?? 0, Date.now(), GONE_MS)) return known;
    const found = within(await registrar(owner).dataKeys(owner));
    if (!found) goneAtMs.set(name, Date.now());
    return found;
  }
}

import type { LaneName, TicketState, TimelineMessage } from "../api/types";
import type { Units } from "../lib/times";
import type { Role } from "../../src/model/operator";
import type { FieldPath, SectionName } from "../settings/fields";
import type { Advice } from "../ticket/failure";
import { fields } from "./en-fields";

const plural = (count: number, one: string, many = `${one}s`) =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

type Delivery = { maxAgeSeconds: number; whenExhausted: "advance" | "hold" };
type Spanned = (ms: number, units: Units) => string;

const units: Units = { point: ".", ms: "ms", s: "s", min: "min", h: "h", d: "d" };

/** Everything the console says; the Indonesian dictionary has the same shape. */
export const en = {
  units,
  ago: (span: string) => `${span} ago`,
  inTime: (span: string) => `in ${span}`,
  due: "due now",
  timesIn: (zone: string) => `Times in ${zone}`,

  skip: "Skip to the content",
  crumbs: "Where you are",
  language: "Language",
  apiReference: "API reference",
  loading: "Loading …",
  tryAgain: "Try again",
  cancel: "Cancel",
  close: "Close",
  save: "Save",
  saved: "Saved. New attempts use it from now on.",
  unsaved: "Not saved yet.",
  copy: "Copy",
  copied: "Copied",
  copyWhat: (what: string) => `Copy: ${what}`,
  show: "Show",
  hide: "Hide",
  showWhat: (what: string) => `Show: ${what}`,
  kept: "kept",
  showAll: (count: number) => `Show all ${plural(count, "character")}`,
  showLess: "Show less",
  showDigits: "Show covered digits",
  coverDigits: "Cover digits",
  openFile: "Open the file in a new tab",
  openMap: "Show on a map in a new tab",
  linkHere: "Link to this message",
  loadMore: "Load more",
  andMore: (count: number) => `and ${count} more`,
  noSuchPage: "There is no such page",
  unreachable: "The relay does not answer. Is the network up?",
  failed: (status: number) => `The relay answered ${status} and did not say why.`,

  signInTitle: "Sign in to dolphin-relay",
  signInLead: "The operator's console: tenants, tickets, dead letters.",
  operatorToken: "Operator's token",
  operatorTokenHint: "Your own, or the relay's ADMIN_TOKEN. It is not kept in the browser; the session lasts 8 hours.",
  signIn: "Sign in",
  signOut: "Sign out",
  sessionEnded: "Your session has ended. Sign in again to go on where you were.",
  wrongToken: "That is no operator's token of this relay.",

  role: { viewer: "viewer", operator: "operator", admin: "admin" } as Record<Role, string>,
  forbidden: "Your role does not go so far:",

  healthBad: "The relay itself is not well:",
  healthUnknown: "The relay did not say whether it is well.",

  waiting: "Waiting",
  dead: "Dead letters",
  oldest: "oldest",
  owner: "Owner",
  lastHour: "Last hour",
  openTickets: "Open tickets",
  deliveredLastHour: "Delivered, last hour",
  nothingWaits: "nothing waits",
  noDead: "none",
  quietHour: "a quiet hour",
  countedUntil: (at: string) => `counted until ${at}`,
  /** How long half, 95 and 99 of a hundred deliveries took at most. */
  lag: (p50: string, p95: string, p99: string) => `p50 ${p50}, p95 ${p95}, p99 ${p99}`,
  n: (count: number) => count.toLocaleString("en"),
  nMessages: (count: number) => plural(count, "message"),
  nAccepted: (count: number) => `${count.toLocaleString("en")} accepted`,
  nDelivered: (count: number) => `${count.toLocaleString("en")} delivered`,
  nWaiting: (count: number) => `${count.toLocaleString("en")} waiting`,
  nDead: (count: number) => `${count.toLocaleString("en")} dead`,
  nClosed: (count: number) => `${count.toLocaleString("en")} closed`,
  inTickets: (count: number) => `in ${plural(count, "ticket")}`,
  deskOfType: (type: string) => `Desk: ${type}`,
  partsOfTenant: "Parts of the tenant",
  link: { connecting: "Connecting …", live: "Live", lost: "Not live: reconnecting …" },
  tab: { tickets: "Tickets", "dead-letters": "Dead letters", live: "Live", settings: "Settings" },

  lane: { toDesk: "Customer → desk", toDolphins: "Desk → customer" } as Record<LaneName, string>,
  laneShort: { toDesk: "→ Desk", toDolphins: "→ Customer" } as Record<LaneName, string>,
  farEnd: { toDesk: "the desk", toDolphins: "3Dolphins" } as Record<LaneName, string>,
  messageInLane: (sequence: number | undefined, lane: string) =>
    `Message ${sequence ?? "without a number yet"}, ${lane}`,
  ticketState: { open: "open", closing: "closing", closed: "closed" } as Record<TicketState, string>,
  messageState: { waiting: "waiting", delivered: "delivered", dead: "dead letter", discarded: "discarded" } as Record<
    TimelineMessage["state"],
    string
  >,
  kind: { command: "Close", failure: "Note to the desk" },
  reason: (reason: string) =>
    ({ rejected: "refused", blocked: "URL blocked", exhausted: "given up" })[reason] ?? reason,
  duplicate: "looks like a repeat",
  duplicateHint: "The same text came within 10 seconds. It was delivered all the same.",
  unreadable: (why: string) => `Cannot be shown: ${why}.`,
  wholeEvent: "Whole event",
  replyFailed: (reason: string) => `Tells the desk that a reply was not delivered (${reason}):`,

  tenants: {
    title: "Tenants",
    tenant: "Tenant",
    desk: "Desk",
    add: "New tenant",
    create: "Create tenant",
    back: "Back to the tenants",
    filter: "Filter by name or owner",
    onlyTrouble: "Only those that need a look",
    /** `unknown`: of these nobody can say. */
    trouble: (count: number, unknown: number, all: number) =>
      [
        count > 0 && `${count} of ${all} ${count === 1 ? "needs" : "need"} a look`,
        unknown > 0 && `${unknown} of ${all} not known`,
        count + unknown === 0 && (all === 1 ? "It is well" : `All ${all} are well`),
      ]
        .filter(Boolean)
        .join(", "),
    none: "No tenants yet. The first one is made with “New tenant”.",
    noneShown: "No tenant fits the filter.",
    unknown: "not known",
    ownerHint: "3Dolphins' id of the tenant, as it stands in every event. It cannot be changed later.",
    ownerMissing: "is required",
    ownerTaken: "There is a tenant with this owner already.",
  },
  tickets: {
    search: "Search ticket number, contact or customer",
    filter: "Show tickets by state",
    all: "All",
    customer: "Customer and ticket",
    state: "State",
    opened: "Opened",
    next: "next attempt",
    none: "No tickets here.",
    noneWaits: "Nothing waits. All is delivered.",
    shown: (count: number, more: boolean) => `${plural(count, "ticket")} shown${more ? ", there are more" : ""}`,
  },
  filter: { waiting: "Waiting", dead: "With dead letters", open: "Open", closing: "Closing", closed: "Closed" },
  ticket: {
    title: (number: string) => `Ticket ${number}`,
    number: "Ticket",
    contact: "Contact",
    messages: "Messages",
    older: "Load earlier messages",
    none: "No messages are kept for this ticket.",
  },
  attempt: {
    title: "Attempts",
    none: "Not tried yet.",
    earlier: (count: number) => `Show ${plural(count, "earlier attempt")}`,
    at: "Time",
    status: "Status",
    took: "Duration",
    answer: "Answer",
    noAnswer: "no answer",
  },
  story: {
    quiet: (delivered: number): string =>
      delivered === 0 ? "Nothing was sent this way yet." : "Nothing waits: everything is delivered.",
    sending: (sequence: number | undefined, since: string, waiting: number) =>
      `${sequence === undefined ? "A message" : `Message ${sequence}`}, accepted at ${since}, is being sent now${waiting > 1 ? `; ${waiting - 1} more behind it` : ""}.`,
    waiting: (story: { since: string; sequence: number | undefined; why: string; until: string; behind: number }) =>
      `Waiting since ${story.since}${story.sequence === undefined ? "" : ` for message ${story.sequence}`}: ${story.why}; ${story.until}.${story.behind > 0 ? ` ${plural(story.behind, "message waits", "messages wait")} behind it, to keep the order.` : ""}`,
    unknownWhy: "the message at the head of the lane is not delivered yet",
    next: (at: string, span: string) => `the next attempt is at ${at} (in ${span})`,
    dueNow: "the next attempt is due now",
    dead: (dead: number) => `Nothing waits, but ${plural(dead, "message is", "messages are")} among the dead letters.`,
    deadWhy: (story: { dead: number; sequence: number; at: string; why: string }) =>
      `Nothing waits, but ${plural(story.dead, "message is", "messages are")} among the dead letters; the newest is message ${story.sequence}, given up at ${story.at}: ${story.why}.`,
  },
  why: {
    answered: (who: string, status: number, answer: string) =>
      answer === "" ? `${who} answered ${status}` : `${who} answered ${status} “${answer}”`,
    saidFailure: (who: string, status: number, answer: string) =>
      `${who} answered ${status}, but said failure in it: “${answer}”`,
    unreached: (who: string, status: number) => `Cloudflare got no usable answer from ${who} (its status ${status})`,
    timeout: (who: string, limit: string) => `${who} gave no complete answer within ${limit}`,
    unreachable: (who: string, detail: string) => `${who} could not be reached (${detail})`,
    login: (who: string, detail: string) => `the login at ${who} failed (${detail})`,
    blocked: (who: string, detail: string) => `the relay may not call the address of ${who}: ${detail}`,
    other: (_who: string, detail: string) => detail,
  },
  goToMessage: "Go to the message",
  whatToDo: "What to do:",
  advice: {
    checkAddress: (who) =>
      `nothing answers in HTTP where ${who} should: check address and port in the settings, and that its firewall lets Cloudflare in.`,
    checkCertificate: (who) =>
      `the certificate of ${who} is not trusted: it is self-signed, expired or another name's, or its chain lacks the intermediate certificate. Those who run it have to install one that browsers take.`,
    checkName: (who) => `the host name of ${who} leads nowhere: check it in the settings, and its DNS.`,
    checkSecret: (who) => `${who} refuses the credential: check the secrets in the settings, and test them there.`,
    checkLogin: (who) =>
      `${who} gave no token: check its address, user name and password in the settings, and test the login there. Nothing is lost meanwhile.`,
    checkUrl: (who) => `the address of ${who} does not take events: check the URL in the settings.`,
    fixUrl: (who) => `fix the URL of ${who} in the settings: it must be public and begin with https.`,
    readAnswer: (who) => `${who} does not take this message; its answer below says why.`,
    tooMany: (who) => `nothing: ${who} asks for patience, and the relay slows down.`,
    fixFarEnd: (who) => `ask those who run ${who}; here nothing has to be fixed.`,
    tooSlow: (who) => `ask those who run ${who} why it is slow, or allow it more time in the settings.`,
    checkNetwork: (who) => `check the host name of ${who} in the settings, its DNS, its certificate and its firewall.`,
  } as Record<Advice, (who: string) => string>,
  thenReplay: "When it is fixed, replay the dead letters.",
  triesUntil: ({ maxAgeSeconds, whenExhausted }: Delivery, span: Spanned) =>
    whenExhausted === "hold"
      ? "The relay tries on until it succeeds."
      : `The relay tries on by itself, until a message is ${span(maxAgeSeconds * 1000, units)} old; then it becomes a dead letter.`,
  openSettings: "Open the settings",

  deadLetters: {
    none: "No dead letters. Nothing was given up.",
    selectAll: (count: number) => `Select all ${count} shown`,
    selected: (count: number) => (count === 0 ? "None selected" : `${count} selected`),
    select: (customer: string, message: string) => `Select ${customer}, ${message}`,
    preview: (message: string) => `Preview: ${message}`,
    show: "Preview",
    hide: "Hide",
  },
  replay: {
    title: "Replay dead letters",
    start: (count: number) => `Replay ${plural(count, "dead letter")} …`,
    selected: (count: number) => (count === 0 ? "Replay selected …" : `Replay ${count} selected …`),
    all: (count: number) => `Replay all ${count} …`,
    plan: (count: number, more: boolean) =>
      `${more ? "At least " : ""}${plural(count, "message")} will be sent again, in the order of each ticket and ahead of what waits there.`,
    noneLate: "None of them arrives after a later message: the order is kept.",
    late: (count: number) =>
      `${plural(count, "message")} would arrive after later ones of the same direction, which are delivered already:`,
    go: (count: number) => `Replay ${plural(count, "message")}`,
    going: "Replaying …",
    done: (count: number) => `${plural(count, "message")} sent again.`,
    delivered: (count: number, of: number, all: number) =>
      of === 0 ? "" : of < all ? `Of the first ${of}, ${count} are delivered.` : `${count} of ${of} delivered.`,
  },
  live: {
    title: "As it happens",
    day: "Last 24 hours",
    pause: "Pause",
    goOn: "Go on",
    none: "Nothing has happened since this page was opened. What happens shows up here by itself.",
    gone: "deleted, its time is over",
    counted: {
      accepted: (count: number, lane: string) => `${lane}: ${count} accepted`,
      delivered: (count: number, lane: string) => `${lane}: ${count} delivered`,
      dead: (count: number, lane: string) => `${lane}: ${count} dead`,
      replayed: (count: number, lane: string) => `${lane}: ${count} replayed`,
    },
    became: { opened: "open", closing: "closing", closed: "closed", waits: "waits", flows: "waits no longer" },
  },
  audit: {
    title: "Audit log",
    lead: "Who did or read what, from where and when, for 400 days. The same look is one entry in ten minutes.",
    export: "Download as NDJSON",
    whole: (count: number) => `The log is whole: ${plural(count, "entry", "entries")}, each as it was written.`,
    broken: (seq: number) =>
      `The log has been tampered with. Entry ${seq} is the first that is not as it was written, or is missing.`,
    byOwner: "Only this tenant (owner)",
    byActor: "Only this operator (name)",
    none: "No entries here.",
    what: "What",
    who: "Who",
    where: "From where",
    when: "When",
    by: (by: string) =>
      ({
        token: "by token",
        session: "in the console",
        access: "by Cloudflare Access",
        desk: "a desk, by its token",
        nothing: "not let in",
      })[by] ?? by,
    action: (action: string) =>
      ({
        tenant_put: "Changed the tenant's settings",
        tenant_deleted: "Deleted the tenant",
        desk_connected: "Connected the desk",
        desk_tested: "Tested the desk",
        engine_tested: "Tested the login at 3Dolphins",
        credentials_shown: "Looked at the desk's credentials",
        credentials_rotated: "Rotated the desk's credentials",
        replayed: "Replayed dead letters",
        customer_erased: "Erased a customer",
        customer_exported: "Exported a customer's data",
        discarded: "Discarded dead letters",
        retried: "Had what waits tried at once",
        paused: "Paused the delivery",
        resumed: "Resumed the delivery",
        ticket_read: "Read a ticket",
        tickets_listed: "Listed tickets",
        dead_letters_read: "Read dead letters",
        live_opened: "Watched live",
        contact_shown: "Read the contact at 3Dolphins",
        history_shown: "Read the history at 3Dolphins",
        signed_in: "Signed in",
        signed_out: "Signed out",
        sign_in_failed: "Was not let in",
        audit_exported: "Downloaded the audit log",
      })[action] ?? action,
  },
  section: {
    tenant: "Tenant",
    desk: "Desk",
    dolphins: "3Dolphins",
    delivery: "Delivery",
  } as Record<SectionName, string>,
  fields: fields as Record<FieldPath, { label: string; hint: string }>,
  option: (option: string) =>
    ({
      id: "Indonesian",
      en: "English",
      none: "none",
      bearer: "bearer token",
      basic: "user name and password (basic)",
      header: "a header",
      login: "login (token API)",
      advance: "go on with the next (advance)",
      hold: "keep waiting (hold)",
      native: "native (the relay's own protocol)",
      chatwoot: "Chatwoot",
      zendesk: "Zendesk",
      genesys: "Genesys Cloud",
    })[option] ?? option,
  connectionTest: {
    desk: "Send a test event to this desk",
    deskCheck: "Check this desk",
    engine: "Log in to this 3Dolphins",
    going: "Asking …",
    deskHint: "Sends a marked test event, signed as any other, and shows the answer.",
    deskCheckHint: "Asks the desk what is set up there. Agents see nothing of it.",
    engineHint: "Asks for a token and shows whether it was given; never the token.",
    noLogin: "There is no login to test: the authentication is of another type.",
    unsaved: "Save first: the test uses the settings as saved.",
    outcome: {
      delivered: "It works.",
      rejected: "Refused for good.",
      retry: "Failed; a message would be tried again.",
      blocked: "Blocked: the relay may not call this address.",
    },
    incomplete: "It answers, but something is not set up.",
    found: { yes: "in order", no: "not in order" },
    check: (name: string) =>
      ({
        app: "App",
        key: "Key",
        multiConversations: "Multi-conversations",
        webhook: "Webhook",
        triggers: "Triggers of the webhook",
        webhookSecret: "Webhook secret",
        version: "Version",
        token: "API access token",
        inbox: "Inbox",
        member: "Member",
        attributes: "Attributes",
        reached: "Replies",
      })[name] ?? name,
  },
  connect: {
    start: "Connect Chatwoot …",
    hint: "Makes the inbox, or finds it again, and fills in all of these settings.",
    title: "Connect Chatwoot",
    lead: "With an administrator's access token: Profile settings, Access Token. What is not saved in the form is dropped.",
    accessToken: "Administrator's access token",
    accessTokenHint: "Kept only where there is no agent's.",
    agentToken: "Agent's access token",
    agentTokenHint: "Best: of a user made for the relay. Empty: the relay goes on with the administrator's.",
    inboxName: "Name of a new inbox",
    inboxNameHint: "Empty: the tenant's name.",
    go: "Connect",
    going: "Connecting: this may take some seconds …",
    done: "Connected. The customers' messages go to this inbox from now on.",
  },
  credentials: {
    title: "Credentials of the desk",
    lead: (deskId: string) => `What the desk “${deskId}” signs in with, and checks the relay's signatures with.`,
    show: "Show credentials",
    token: "Token",
    signingSecret: "Signing secret",
    keepSafe: "Give them to the desk by a safe way. They are shown until this window is closed.",
    rotate: "Rotate …",
    rotateTitle: "Rotate the credentials?",
    rotateWarning: (deskId: string) =>
      `All tenants of the desk “${deskId}” get a new token and signing secret. The present ones stay good for 24 hours, or until the next rotation.`,
    rotateNow: "Rotate now",
  },
  deletion: {
    title: "Delete the tenant",
    lead: "Ends the acceptance of its events at once. What waits goes on waiting until it is too old.",
    start: "Delete …",
    ask: (name: string) => `Delete ${name}?`,
    type: (owner: string) => `Type ${owner} to confirm`,
    go: "Delete tenant",
  },
};

export type Words = typeof en;

import { same } from "../harness/client.ts";
import { eventIn, text } from "./events.ts";
import {
  type Accepted,
  agentCloses,
  agentIsRefused,
  agentWrites,
  customerWrites,
  deskReceives,
  engineReceives,
  readTicket,
} from "./actions.ts";
import { deskFailsOnce } from "./outage.ts";
import type { Received } from "../fakes/far-end.ts";
import { action, gap, quoted, seconds, title } from "../harness/print.ts";
import type { Scenario } from "./scenario.ts";

/** Plays the conversation scene by scene. Every line it prints was read from an answer or from what an end received. */
export async function playConversation(scenario: Scenario): Promise<void> {
  await customerAsks(scenario);
  await agentAnswers(scenario);
  await deskFailsOnce(scenario);
  await agentEndsIt(scenario);
  await customerComesBack(scenario);
}

async function customerAsks(scenario: Scenario): Promise<void> {
  title("1. Siti, a customer, writes on WhatsApp");
  const hello = text("Selamat pagi, kartu ATM saya tertelan mesin di Jalan Sudirman.");
  const picture = {
    messageType: "image",
    message: "Ini fotonya",
    mediaLink: "https://media.bank-contoh.example/atm-sudirman.jpg",
  };
  const place = { messageType: "Location", message: "-6.208763,106.822435", mediaLink: "" };
  const sticker = { messageType: "sticker", message: "", mediaLink: "" };

  const first = await customerWrites(
    scenario,
    hello,
    "Good morning, the cash machine in Sudirman Street has swallowed my card.",
  );
  arrived(scenario, first, await deskReceives(scenario, first));

  const second = await customerWrites(scenario, picture, "Here is the photo.", `[picture] ${picture.message}`);
  const seen = await deskReceives(scenario, second);
  arrived(scenario, second, seen, `with the link ${eventIn(seen).mediaLink}`);

  const third = await customerWrites(scenario, place, "where the machine stands", "[location]");
  const spot = await deskReceives(scenario, third);
  arrived(scenario, third, spot, `with latitude and longitude ${eventIn(spot).message}`);

  const fourth = await customerWrites(
    scenario,
    sticker,
    "The desk has no stickers; this tenant wants a word in their place.",
    "[sticker]",
  );
  const word = await deskReceives(scenario, fourth, {
    messageType: "text",
    message: scenario.stickerText,
  });
  arrived(scenario, fourth, word, `as the ${eventIn(word).messageType} ${quoted(eventIn(word).message)}`);
}

async function agentAnswers(scenario: Scenario): Promise<void> {
  title("2. Dewi, an agent, answers at the desk");
  const lines = [
    [
      "Selamat pagi, Ibu Siti. Saya Dewi dari Bank Contoh, saya bantu blokir kartunya.",
      "Good morning, Mrs Siti. I am Dewi of Bank Contoh; I will help you block the card.",
    ],
    ["Mohon sebutkan empat angka terakhir kartu Ibu.", "Please tell me the last four digits of your card."],
  ] as const;
  for (const [message, meaning] of lines) {
    const accepted = await agentWrites(scenario, text(message), meaning);
    const request = await engineReceives(scenario, accepted, "/outgoing");
    action(
      "3Dolphins",
      `received ${quoted(eventIn(request).message, 40)} for ${eventIn(request).channel} ${later(accepted, request)}`,
    );
    gap();
  }
}

async function agentEndsIt(scenario: Scenario): Promise<void> {
  title("4. Dewi closes the conversation");
  const goodbye = await agentWrites(
    scenario,
    text("Kartu Ibu sudah kami blokir. Terima kasih."),
    "Your card is blocked. Thank you.",
  );
  const last = await engineReceives(scenario, goodbye, "/outgoing");
  action("3Dolphins", `received ${quoted(eventIn(last).message, 40)} ${later(goodbye, last)}`);
  gap();

  action("agent", "presses Close");
  const close = await agentCloses(scenario);
  const command = await engineReceives(scenario, close, "/command");
  action("3Dolphins", `received the command ${quoted(eventIn(command).event)} ${later(close, command)}`);
  const closed = await readTicket(scenario, (ticket) => ticket.state === "closed", "the state closed");
  action("relay", `the ticket is ${closed.state}`);
  gap();

  const receivedBefore = scenario.engine.received.length;
  const refusal = await agentIsRefused(
    scenario,
    text("Satu lagi, Bu…"),
    "One more thing… She forgot that the conversation is over.",
  );
  action("relay", `told the desk: ${refusal.status} ${refusal.code}`, "bad");
  action("relay", quoted(refusal.message, 200));
  same("The number of messages 3Dolphins received after Close", scenario.engine.received.length, receivedBefore);
  action("3Dolphins", "received nothing of it");
}

async function customerComesBack(scenario: Scenario): Promise<void> {
  title("5. Siti writes again, and the ticket is open again");
  const question = text("Kapan kartu baru saya dikirim?");
  const again = await customerWrites(scenario, question, "When will my new card be sent?");
  arrived(scenario, again, await deskReceives(scenario, again));
  const reopened = await readTicket(scenario, (ticket) => ticket.state === "open", "the state open");
  action("relay", `the ticket is ${reopened.state}, so Dewi may answer`);
  gap();
  const answer = await agentWrites(scenario, text("Tiga hari kerja, Bu."), "In three working days.");
  const request = await engineReceives(scenario, answer, "/outgoing");
  action("3Dolphins", `received ${quoted(eventIn(request).message)} ${later(answer, request)}`);
}

function arrived(scenario: Scenario, accepted: Accepted, request: Received, shows = ""): void {
  const signature = scenario.desk.verified.has(request) ? "signature verified" : "signature NOT verified";
  action("desk", `received it ${later(accepted, request)}, attempt ${request.headers["relay-attempt"]}, ${signature}`);
  if (shows !== "") action("desk", `it came ${shows}`);
  gap();
}

function later(accepted: Accepted, request: Received): string {
  return `${seconds(Math.max(0, request.atMs - accepted.atMs))} after it was sent`;
}

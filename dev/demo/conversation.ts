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
import { deed, gap, quoted, seconds, title } from "./print.ts";
import type { Stage } from "./scenario.ts";

/** Plays the conversation scene by scene. Every line it prints was read from an answer or from what an end received. */
export async function playConversation(stage: Stage): Promise<void> {
  await customerAsks(stage);
  await agentAnswers(stage);
  await deskFailsOnce(stage);
  await agentEndsIt(stage);
  await customerComesBack(stage);
}

async function customerAsks(stage: Stage): Promise<void> {
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
    stage,
    hello,
    "Good morning, the cash machine in Sudirman Street has swallowed my card.",
  );
  arrived(stage, first, await deskReceives(stage, first));

  const second = await customerWrites(stage, picture, "Here is the photo.", `[picture] ${picture.message}`);
  const seen = await deskReceives(stage, second);
  arrived(stage, second, seen, `with the link ${eventIn(seen).mediaLink}`);

  const third = await customerWrites(stage, place, "where the machine stands", "[location]");
  const spot = await deskReceives(stage, third);
  arrived(stage, third, spot, `with latitude and longitude ${eventIn(spot).message}`);

  const fourth = await customerWrites(
    stage,
    sticker,
    "The desk has no stickers; this tenant wants a word in their place.",
    "[sticker]",
  );
  const word = await deskReceives(stage, fourth, {
    messageType: "text",
    message: stage.stickerText,
  });
  arrived(stage, fourth, word, `as the ${eventIn(word).messageType} ${quoted(eventIn(word).message)}`);
}

async function agentAnswers(stage: Stage): Promise<void> {
  title("2. Dewi, an agent, answers at the desk");
  const lines = [
    [
      "Selamat pagi, Ibu Siti. Saya Dewi dari Bank Contoh, saya bantu blokir kartunya.",
      "Good morning, Mrs Siti. I am Dewi of Bank Contoh; I will help you block the card.",
    ],
    ["Mohon sebutkan empat angka terakhir kartu Ibu.", "Please tell me the last four digits of your card."],
  ] as const;
  for (const [message, meaning] of lines) {
    const accepted = await agentWrites(stage, text(message), meaning);
    const request = await engineReceives(stage, accepted, "/outgoing");
    deed(
      "3Dolphins",
      `received ${quoted(eventIn(request).message, 40)} for ${eventIn(request).channel} ${later(accepted, request)}`,
    );
    gap();
  }
}

async function agentEndsIt(stage: Stage): Promise<void> {
  title("4. Dewi closes the conversation");
  const goodbye = await agentWrites(
    stage,
    text("Kartu Ibu sudah kami blokir. Terima kasih."),
    "Your card is blocked. Thank you.",
  );
  const last = await engineReceives(stage, goodbye, "/outgoing");
  deed("3Dolphins", `received ${quoted(eventIn(last).message, 40)} ${later(goodbye, last)}`);
  gap();

  deed("agent", "presses Close");
  const close = await agentCloses(stage);
  const command = await engineReceives(stage, close, "/command");
  deed("3Dolphins", `received the command ${quoted(eventIn(command).event)} ${later(close, command)}`);
  const closed = await readTicket(stage, (ticket) => ticket.state === "closed", "the state closed");
  deed("relay", `the ticket is ${closed.state}`);
  gap();

  const receivedBefore = stage.engine.received.length;
  const refusal = await agentIsRefused(
    stage,
    text("Satu lagi, Bu…"),
    "One more thing… She forgot that the conversation is over.",
  );
  deed("relay", `told the desk: ${refusal.status} ${refusal.code}`, "bad");
  deed("relay", quoted(refusal.message, 200));
  same("The number of messages 3Dolphins received after Close", stage.engine.received.length, receivedBefore);
  deed("3Dolphins", "received nothing of it");
}

async function customerComesBack(stage: Stage): Promise<void> {
  title("5. Siti writes again, and the ticket is open again");
  const question = text("Kapan kartu baru saya dikirim?");
  const again = await customerWrites(stage, question, "When will my new card be sent?");
  arrived(stage, again, await deskReceives(stage, again));
  const reopened = await readTicket(stage, (ticket) => ticket.state === "open", "the state open");
  deed("relay", `the ticket is ${reopened.state}, so Dewi may answer`);
  gap();
  const answer = await agentWrites(stage, text("Tiga hari kerja, Bu."), "In three working days.");
  const request = await engineReceives(stage, answer, "/outgoing");
  deed("3Dolphins", `received ${quoted(eventIn(request).message)} ${later(answer, request)}`);
}

function arrived(stage: Stage, accepted: Accepted, request: Received, shows = ""): void {
  const signature = stage.desk.verified.has(request) ? "signature verified" : "signature NOT verified";
  deed("desk", `received it ${later(accepted, request)}, attempt ${request.headers["relay-attempt"]}, ${signature}`);
  if (shows !== "") deed("desk", `it came ${shows}`);
  gap();
}

function later(accepted: Accepted, request: Received): string {
  return `${seconds(Math.max(0, request.atMs - accepted.atMs))} after it was sent`;
}

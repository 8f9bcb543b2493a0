import { call, registerTenant } from "../harness/client.ts";
import { type FarEnd, startFarEnd } from "../fakes/far-end.ts";
import { type Relay, type Settings, ingressKeyOf } from "../harness/relay.ts";

/** A night at a relay, made by real events: what the screenshots of the console show. */

export const bank = { owner: "82ab0fd5cfd1e80d1ff97c0cfc9aaaa1", name: "Bank Contoh" };
export const blockedTicket = "EM-1531501158368";
const expiredTicket = "294c9ea88f7e649f8c37ae895ebab247";

const others = [
  { owner: "5d1c2f0a9be34c7792c3a61f", name: "Toko Sepatu Bandung" },
  { owner: "b7e0c9aa41d84f6f8a52d3e9", name: "Klinik Sehat Sentosa" },
  { owner: "0f4a7d1be6c24f0c9d1e77aa", name: "Asuransi Jaya" },
];
const customers = ["Farhan Akbar", "Siti Nurhaliza", "Budi Santoso", "Putri Ayu", "Rizky Pratama", "Ni Luh Gede"];

type Post = (path: string, body: object, token?: string) => Promise<void>;

export async function playNight(relay: Relay, settings: Settings, cleanup: AsyncDisposableStack): Promise<void> {
  const post: Post = async (path, body, token) => {
    const { status } = await call("POST", relay.url + path, { body, ...(token === undefined ? {} : { token }) });
    if (status !== 200) throw new Error(`${path} answered ${status}.`);
  };
  const incoming = (owner: string, ticketNumber: string, customerName: string, message: string) =>
    post(`/v1/dolphins/${ingressKeyOf(settings)}/incoming`, {
      ticketNumber,
      channel: "whatsapp",
      accountId: "628128778222",
      contactId: "d61d77735f3fe08bcf6d6b96fa06ba9d",
      messageType: "text",
      message,
      mediaLink: "",
      customerName,
      createdDate: "2026-11-24T02:02:37.945",
      owner,
    });

  const [engine, desk] = await Promise.all([startFarEnd(), startFarEnd()]);
  cleanup.defer(engine.close);
  cleanup.defer(desk.close);
  const register = ({ owner, name }: typeof bank) =>
    registerTenant(relay.url, settings.ADMIN_TOKEN, owner, {
      name,
      dolphins: { baseUrl: engine.url },
      desk: { type: "native", url: `${desk.url}/hooks/dolphins` },
    });
  const [{ token }] = await Promise.all([register(bank), ...others.map(register)]);

  for (const [index, customer] of customers.entries()) {
    for (const { owner } of [bank, ...others]) {
      await incoming(owner, `EM-153150115${8400 + index}`, customer, "Selamat malam, apakah layanan masih buka?");
    }
  }
  await talk(incoming, post, token);
  await desk.until((received) => received.length >= 24 + 2, "the deliveries of the evening");
  fail(desk);
  for (const message of ["Saya sudah coba lagi, masih ditolak", "Kode kesalahannya 57", "Halo?"]) {
    await incoming(bank.owner, blockedTicket, "Dewi Lestari", message);
  }
  for (const message of ["Mohon kirim ulang tagihan bulan ini", "Alamat surel saya sudah benar"]) {
    await incoming(bank.owner, expiredTicket, "Agus Wijaya", message);
  }
}

/** Two questions and their answers, all delivered. */
async function talk(
  incoming: (...words: [string, string, string, string]) => Promise<void>,
  post: Post,
  token: string,
) {
  const say = (message: string) => incoming(bank.owner, blockedTicket, "Dewi Lestari", message);
  const reply = (message: string) => {
    const event = { ticketNumber: blockedTicket, channel: "whatsapp", messageType: "text", message, mediaLink: "" };
    return post("/v1/outgoing", { ...event, customerName: "Dewi Lestari", owner: bank.owner }, token);
  };
  await say("Selamat malam");
  await reply("Selamat malam, Ibu Dewi. Ada yang bisa kami bantu?");
  await say("Kartu kredit saya ditolak di toko tadi malam");
  await reply("Kami periksa dahulu, mohon tunggu sebentar.");
}

/** From now on the desk is under maintenance for one ticket, and does not know the relay's signature in the other. */
function fail(desk: FarEnd): void {
  desk.answerWith(({ body }) => {
    if (body.includes(blockedTicket)) return { status: 503, body: "maintenance", headers: { "retry-after": "90" } };
    if (body.includes(expiredTicket)) return { status: 401, body: '{"status":"error","message":"bad signature"}' };
    return { status: 200 };
  });
}

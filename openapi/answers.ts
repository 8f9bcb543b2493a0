import * as z from "zod/mini";
import * as answers from "../src/model/answers";
import { chatwootConnection } from "../src/desks/chatwoot/connect";
import { id, SCHEMAS } from "../src/model/event";
import { ticketReplay, tenantReplay } from "../src/routes/admin/dead-letters";
import { erasure } from "../src/routes/admin/erase";
import { pauseBody, resumeBody } from "../src/routes/admin/pause";
import { retryBody } from "../src/routes/admin/retry";
import { signIn } from "../src/routes/sign-in";
import { tenantRecord } from "../src/tenants/tenant-record";
import { named } from "./components";

/** The names under which the API's schemas stand in the document: of what it is sent, and of what it answers. */

export const incomingEvent = named("IncomingEvent", SCHEMAS.incoming);
export const outgoingEvent = named("OutgoingEvent", SCHEMAS.outgoing);
export const command = named("Command", SCHEMAS.command);
export const ownedCommand = named("EngineCommand", SCHEMAS.ownedCommand);
z.globalRegistry.add(answers.paused, {
  description: "The lanes that are paused. In a record that is put it may stand as it was shown, and changes nothing.",
});
const paused = z.optional(answers.paused);
export const record = named("TenantRecord", z.extend(tenantRecord, { owner: z.optional(id), paused }));
export const ticketReplayBody = named("TicketReplay", ticketReplay);
export const tenantReplayBody = named("DeadLetterReplay", tenantReplay);
export const erasureBody = named("Erasure", erasure);
export const pauseRequest = named("PauseRequest", pauseBody);
export const resumeRequest = named("ResumeRequest", resumeBody);
export const retryRequest = named("RetryRequest", retryBody);
export const signInBody = named("SignIn", signIn);
export const deskWebhook = named("DeskWebhook", z.record(z.string(), z.unknown()));

/** What the same name does not mean elsewhere. */
z.globalRegistry.add(tenantRecord.shape.language, { description: "Of the relay's own texts to agents." });
z.globalRegistry.add(answers.attempt.shape.error, {
  description: "Why the attempt failed, in one text: `detail`, `answer` and the rest together.",
});

named("Refusal", answers.refusal);
named("Attempt", answers.attempt);
named("Message", answers.timelineMessage);
named("Lane", answers.laneView);
named("TicketSummary", answers.ticketSummary);
named("DeadLetter", answers.listedDeadLetter);
named("AuditEntry", answers.auditEntry);
named("LiveEvent", answers.liveEvent);
named("ExportLine", answers.exportLine);

/** What every record has is in the model; the document shows all of it, as the schema of the whole record has it. */
const tenant = named("Tenant", z.extend(tenantRecord, { owner: id, deskId: id, paused }));
/** Named here, and filled in with all defaults in the document. */
export const complete = { Tenant: tenant };
export const tenantAnswer = named("TenantAnswer", z.extend(answers.tenantAnswer, { tenant }));
export const tenantsAnswer = named("TenantsAnswer", z.extend(answers.tenantsAnswer, { tenants: z.array(tenant) }));

export const done = named("Success", answers.done);
export const homeAnswer = named("HomeAnswer", answers.homeAnswer);
export const credentialsAnswer = named("CredentialsAnswer", answers.credentialsAnswer);
export const purgeAnswer = named("PurgeAnswer", answers.purgeAnswer);
export const eraseAnswer = named("EraseAnswer", answers.eraseAnswer);
export const ticketAnswer = named("TicketAnswer", answers.ticketAnswer);
export const ticketsAnswer = named("TicketsAnswer", answers.ticketsAnswer);
const deadLetterGroups = named("DeadLetterGroupsAnswer", answers.deadLetterGroupsAnswer);
export const deadLettersAnswer = z.union([named("DeadLettersAnswer", answers.deadLettersAnswer), deadLetterGroups]);
export const discardAnswer = named("DiscardAnswer", answers.discardAnswer);
export const pausedAnswer = named("PausedAnswer", answers.pausedAnswer);
export const retryAnswer = named("RetryAnswer", answers.retryAnswer);
export const ticketReplayAnswer = named("TicketReplayAnswer", answers.ticketReplayAnswer);
export const tenantReplayAnswer = named("DeadLetterReplayAnswer", answers.tenantReplayAnswer);
export const overviewAnswer = named("OverviewAnswer", answers.overviewAnswer);
export const chatwootConnectionBody = named("ChatwootConnection", chatwootConnection);
export const connectedAnswer = named("ConnectedAnswer", z.extend(answers.connectedAnswer, { tenant }));
export const connectionTestAnswer = named("TestAnswer", answers.connectionTestAnswer);
export const healthAnswer = named("HealthAnswer", answers.healthAnswer);
export const meAnswer = named("MeAnswer", answers.meAnswer);
export const auditAnswer = named("AuditAnswer", answers.auditAnswer);
export const auditCheckAnswer = named("AuditCheckAnswer", answers.auditCheckAnswer);
export const sessionAnswer = named("SessionAnswer", answers.sessionAnswer);
export const contactAnswer = named("ContactAnswer", answers.contactAnswer);
export const historyAnswer = named("HistoryAnswer", answers.historyAnswer);

/** What a desk is sent, and nobody is answered. */
export const failureReport = named("FailureReport", answers.failureReport);

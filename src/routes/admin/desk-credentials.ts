import * as z from "zod/mini";
import { required } from "../../config";
import { askOnce, configOf, directoryOf, registrarOf, type AppContext } from "../../http/context";
import { audit } from "../../http/audit-trail";
import { allow } from "../../http/operators";
import { bodyIn, tenantIn } from "../../http/parameters";
import { Routes } from "../../http/routes";
import type { CredentialsAnswer } from "../../model/answers";
import { credentialsOf } from "../../tenants/credentials";

const rotation = z.strictObject({ revoke: z.optional(z.boolean()) });

/** The token and the signing secret of a tenant's desk. */
export const credentials = new Routes();

credentials
  .get("/:owner/credentials", allow("admin", "credentials_shown"), async (c) => {
    const { deskId } = await tenantIn(c);
    const { generation } = await directoryOf(c).generation(deskId);
    return showCredentials(c, deskId, generation);
  })
  .post("/:owner/credentials/rotate", allow("admin", "credentials_rotated"), async (c) => {
    // Earlier releases took no body, and what came was not read.
    const { revoke = false } = c.var.body.sent.byteLength === 0 ? {} : bodyIn(c, rotation);
    const { deskId } = await tenantIn(c);
    const { generation } = await askOnce(() => registrarOf(c, `desk:${deskId}`).rotate(deskId, revoke));
    audit(c, { revoked: revoke });
    return showCredentials(c, deskId, generation);
  });

async function showCredentials(c: AppContext, deskId: string, generation: number): Promise<Response> {
  const shown = await credentialsOf(required(configOf(c).masterKeys), deskId, generation);
  c.header("cache-control", "no-store");
  return c.json<CredentialsAnswer>({ status: "success", credentials: shown });
}

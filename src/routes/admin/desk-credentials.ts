import { required } from "../../config";
import { askOnce, configOf, directoryOf, registrarOf, type AppContext } from "../../http/context";
import { allow } from "../../http/operators";
import { tenantIn } from "../../http/parameters";
import { Routes } from "../../http/routes";
import type { CredentialsAnswer } from "../../model/answers";
import { credentialsOf } from "../../tenants/credentials";

/** The token and the signing secret of a tenant's desk. */
export const credentials = new Routes();

credentials
  .get("/:owner/credentials", allow("admin", "credentials_shown"), async (c) => {
    const { deskId } = await tenantIn(c);
    const { generation } = await directoryOf(c).generation(deskId);
    return showCredentials(c, deskId, generation);
  })
  .post("/:owner/credentials/rotate", allow("admin", "credentials_rotated"), async (c) => {
    const { deskId } = await tenantIn(c);
    const { generation } = await askOnce(() => registrarOf(c, `desk:${deskId}`).rotate(deskId));
    return showCredentials(c, deskId, generation);
  });

async function showCredentials(c: AppContext, deskId: string, generation: number): Promise<Response> {
  const shown = await credentialsOf(required(configOf(c).masterKeys), deskId, generation);
  c.header("cache-control", "no-store");
  return c.json<CredentialsAnswer>({ status: "success", credentials: shown });
}

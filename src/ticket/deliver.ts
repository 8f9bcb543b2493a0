import type { Config } from "../config";
import { required } from "../config";
import type { Delivered, Delivery, DeliveryContext } from "../destinations/destination";
import { deliverToDesk, wantsFailures } from "../destinations/desks/registry";
import { engine } from "../destinations/dolphins/engine";
import { AppError } from "../lib/errors";
import { errorText } from "../lib/log";
import { signingSecrets } from "../tenants/credentials";
import type { Directory } from "../tenants/directory";
import { openSecrets } from "../tenants/secrets";
import type { DeliveryPolicy } from "./retry";
import type { LaneName } from "./timeline";

/** For what waits of a tenant whose record is gone without a trace. */
const DEFAULT_POLICY: DeliveryPolicy = { maxAgeSeconds: 86_400, whenExhausted: "advance" };

/**
 * One attempt to deliver one message, with the tenant's record as it is now. Never throws: what stands in the way on this
 * side (no tenant, KV away, a setting missing) is an attempt that failed and is tried again.
 */
export async function deliver(
  { config, directory }: { config: Config; directory: Directory },
  owner: string,
  lane: LaneName,
  delivery: Delivery,
  session: unknown,
): Promise<Delivered & { policy: DeliveryPolicy; notifyFailures: boolean }> {
  let policy = DEFAULT_POLICY;
  let notifyFailures = false;
  try {
    const sealed = await directory.tenant(owner);
    if (!sealed) {
      policy = (await directory.policy(owner))?.delivery ?? DEFAULT_POLICY;
      return {
        policy,
        notifyFailures,
        outcome: { kind: "retry", error: "there is no such tenant any more: put its record again" },
      };
    }
    policy = sealed.delivery;
    notifyFailures = lane === "toDolphins" && wantsFailures(sealed.desk);
    const masterKeys = required(config.masterKeys);
    const tenant = await openSecrets(masterKeys, sealed);
    const context: DeliveryContext = {
      owner,
      signingSecrets:
        lane === "toDesk"
          ? await signingSecrets(masterKeys, tenant.deskId, await directory.generation(tenant.deskId), Date.now())
          : [],
      timeoutMs: tenant.delivery.timeoutMs,
      allowInsecureTargets: config.allowInsecureTargets,
      session,
    };
    const delivered =
      lane === "toDesk"
        ? await deliverToDesk(delivery, tenant.desk, context)
        : await engine.deliver(delivery, tenant.dolphins, context);
    return { ...delivered, policy, notifyFailures };
  } catch (error) {
    const detail = error instanceof AppError ? error.detail : undefined;
    return {
      policy,
      notifyFailures,
      outcome: { kind: "retry", error: `the relay itself failed: ${detail ?? errorText(error)}` },
    };
  }
}

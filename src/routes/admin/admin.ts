import { operatorsOnly } from "../../http/operators";
import { Routes } from "../../http/routes";
import { auditLog } from "./audit-log";
import { connections } from "./connect-chatwoot";
import { connectionTests } from "./connection-tests";
import { deadLetters } from "./dead-letters";
import { credentials } from "./desk-credentials";
import { erase } from "./erase";
import { exports } from "./export";
import { health } from "./health";
import { me } from "./me";
import { overview } from "./overview";
import { pause } from "./pause";
import { purge } from "./purge";
import { tenantRetry, ticketRetry } from "./retry";
import { tenants } from "./tenants";
import { tickets } from "./tickets";

/** What operators do. */
export const admin = new Routes();

admin
  .use(operatorsOnly)
  .route("/me", me)
  .route("/audit", auditLog)
  .route("/health", health)
  .route("/tenants", tenants)
  .route("/tenants", credentials)
  .route("/tenants", overview)
  .route("/tenants", deadLetters)
  .route("/tenants", connectionTests)
  .route("/tenants", connections)
  .route("/tenants", tenantRetry)
  .route("/tenants", pause)
  .route("/tenants", purge)
  .route("/tenants", erase)
  .route("/tenants", exports)
  .route("/tickets", ticketRetry)
  .route("/tickets", tickets);

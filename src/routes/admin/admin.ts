import { operatorOnly } from "../../http/auth";
import { Routes } from "../../http/routes";
import { connections } from "./connect-chatwoot";
import { connectionTests } from "./connection-tests";
import { deadLetters } from "./dead-letters";
import { credentials } from "./desk-credentials";
import { erase } from "./erase";
import { exports } from "./export";
import { health } from "./health";
import { overview } from "./overview";
import { purge } from "./purge";
import { tenants } from "./tenants";
import { tickets } from "./tickets";

/** What the operator does. */
export const admin = new Routes();

admin
  .use(operatorOnly)
  .route("/health", health)
  .route("/tenants", tenants)
  .route("/tenants", credentials)
  .route("/tenants", overview)
  .route("/tenants", deadLetters)
  .route("/tenants", connectionTests)
  .route("/tenants", connections)
  .route("/tenants", purge)
  .route("/tenants", erase)
  .route("/tenants", exports)
  .route("/tickets", tickets);

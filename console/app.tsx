import { useEffect, useState } from "preact/hooks";
import { onSignedOut, type ApiError } from "./api/call";
import { readMe } from "./api/relay";
import type { Operator } from "./api/types";
import { AuditPage } from "./audit/audit-page";
import { asApiError } from "./lib/load";
import type { Route } from "./lib/route";
import { useRoute } from "./lib/use-route";
import { ErrorNotice, Loading } from "./parts/notice";
import { PageHeading } from "./parts/heading";
import { NewTenantPage } from "./settings/new-tenant";
import { OperatorProvider } from "./operator";
import { Shell } from "./shell";
import { SignInPage } from "./sign-in";
import { TenantPage } from "./tenant/tenant-page";
import { TenantsPage } from "./tenants/tenants-page";
import { useWords } from "./words/language";

/** `refused`: somebody whom Cloudflare Access has let through, but who has no role here. */
type Entry =
  | { state: "unknown" }
  | { state: "out"; ended: boolean; refused?: ApiError }
  | { state: "in"; operator: Operator };

export function App() {
  const route = useRoute();
  const [entry, setEntry] = useState<Entry>({ state: "unknown" });
  const [error, setError] = useState<ApiError>();

  const readEntry = async () => {
    setError(undefined);
    try {
      const operator = await readMe();
      setEntry(operator ? { state: "in", operator } : { state: "out", ended: false });
    } catch (caught) {
      const found = asApiError(caught);
      if (found.code === "forbidden") setEntry({ state: "out", ended: false, refused: found });
      else setError(found);
    }
  };
  useEffect(() => {
    onSignedOut(() => setEntry({ state: "out", ended: true }));
    void readEntry();
  }, []);

  if (error) return <ErrorNotice error={error} retry={() => void readEntry()} />;
  switch (entry.state) {
    case "unknown":
      return <Loading />;
    case "out":
      return <SignInPage ended={entry.ended} refused={entry.refused} onSignedIn={() => void readEntry()} />;
    case "in":
      return (
        <OperatorProvider value={entry.operator}>
          <Shell route={route} onSignedOut={() => setEntry({ state: "out", ended: false })}>
            <Page route={route} />
          </Shell>
        </OperatorProvider>
      );
  }
}

function Page({ route }: { route: Route }) {
  const words = useWords();
  switch (route.page) {
    case "tenants":
      return <TenantsPage />;
    case "new-tenant":
      return <NewTenantPage />;
    case "audit":
      return <AuditPage query={route.query} />;
    case "tenant":
    case "ticket":
      return <TenantPage key={route.owner} owner={route.owner} route={route} />;
    case "unknown":
      return <PageHeading title={words.noSuchPage} />;
  }
}

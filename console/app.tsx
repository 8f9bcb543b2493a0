import { useEffect, useState } from "preact/hooks";
import { onSignedOut, type ApiError } from "./api/call";
import { readSession } from "./api/relay";
import type { Session } from "./api/types";
import { asApiError } from "./lib/load";
import type { Route } from "./lib/route";
import { useRoute } from "./lib/use-route";
import { ErrorNotice, Loading } from "./parts/notice";
import { PageHeading } from "./parts/heading";
import { NewTenantPage } from "./settings/new-tenant";
import { Shell } from "./shell";
import { SignInPage } from "./sign-in";
import { TenantPage } from "./tenant/tenant-page";
import { TenantsPage } from "./tenants/tenants-page";
import { useWords } from "./words/language";

type Entry = { state: "unknown" } | { state: "out"; ended: boolean } | { state: "in"; session: Session };

export function App() {
  const route = useRoute();
  const [entry, setEntry] = useState<Entry>({ state: "unknown" });
  const [error, setError] = useState<ApiError>();

  const readEntry = async () => {
    setError(undefined);
    try {
      const session = await readSession();
      setEntry(session ? { state: "in", session } : { state: "out", ended: false });
    } catch (caught) {
      setError(asApiError(caught));
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
      return <SignInPage ended={entry.ended} onSignedIn={(session) => setEntry({ state: "in", session })} />;
    case "in":
      return (
        <Shell route={route} session={entry.session} onSignedOut={() => setEntry({ state: "out", ended: false })}>
          <Page route={route} />
        </Shell>
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
    case "tenant":
    case "ticket":
      return <TenantPage key={route.owner} owner={route.owner} route={route} />;
    case "unknown":
      return <PageHeading title={words.noSuchPage} />;
  }
}

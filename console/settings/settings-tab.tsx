import { useState } from "preact/hooks";
import { putTenant } from "../api/relay";
import { useMay } from "../operator";
import { PageHeading } from "../parts/heading";
import { useTenant } from "../tenant/context";
import { useWords } from "../words/language";
import { ConnectChatwoot } from "./connect-chatwoot";
import { CredentialsPanel } from "./credentials";
import { DeletePanel } from "./delete";
import { TenantForm } from "./tenant-form";
import { ConnectionTestButton } from "./connection-test";

export function SettingsTab() {
  const words = useWords();
  const { tenant, replaceTenant } = useTenant();
  const { owner, name } = tenant;
  const [isChanged, setChanged] = useState(false);
  const [isSaved, setSaved] = useState(false);
  const [isConnecting, setConnecting] = useState(false);
  const [mayChange, mayTest] = [useMay("admin"), useMay("operator")];
  const save = async (record: Record<string, unknown>) => {
    setSaved(false);
    replaceTenant(await putTenant(owner, record));
    setSaved(true);
  };
  // Only of a desk of one's own nothing is known but what it answers to a message.
  const isAsked = tenant.desk.type !== "native";
  const hasLogin = tenant.dolphins.auth.type === "login";
  return (
    <section>
      <div class="sr-only">
        <PageHeading level={2} title={`${words.tab.settings}, ${name}`} />
      </div>
      <TenantForm
        record={tenant}
        save={save}
        saveLabel={words.save}
        readOnly={!mayChange}
        isSaved={isSaved}
        onChanged={setChanged}
        below={(deskType) => ({
          desk: mayTest && (
            <>
              <ConnectionTestButton
                key={tenant.desk.type}
                owner={owner}
                end="desk"
                label={isAsked ? words.connectionTest.deskCheck : words.connectionTest.desk}
                hint={
                  isChanged
                    ? words.connectionTest.unsaved
                    : isAsked
                      ? words.connectionTest.deskCheckHint
                      : words.connectionTest.deskHint
                }
                disabled={isChanged}
              />
              {mayChange && deskType === "chatwoot" && (
                <div class="connection-test">
                  <button type="button" onClick={() => setConnecting(true)}>
                    {words.connect.start}
                  </button>
                  <span class="hint">{words.connect.hint}</span>
                </div>
              )}
            </>
          ),
          dolphins: mayTest && (
            <ConnectionTestButton
              owner={owner}
              end="engine"
              label={words.connectionTest.engine}
              hint={
                isChanged
                  ? words.connectionTest.unsaved
                  : hasLogin
                    ? words.connectionTest.engineHint
                    : words.connectionTest.noLogin
              }
              disabled={isChanged || !hasLogin}
            />
          ),
        })}
      />
      {isConnecting && (
        <ConnectChatwoot tenant={tenant} onConnected={replaceTenant} onClose={() => setConnecting(false)} />
      )}
      {mayChange && (
        <>
          <CredentialsPanel />
          <DeletePanel />
        </>
      )}
    </section>
  );
}

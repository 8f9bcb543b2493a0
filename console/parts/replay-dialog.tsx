import { useEffect, useState } from "preact/hooks";
import type { ApiError } from "../api/call";
import type { Replay } from "../api/types";
import { asApiError } from "../lib/load";
import { useWords } from "../words/language";
import { Dialog } from "./dialog";
import { ErrorNotice, Loading, Notice } from "./notice";

type Props = {
  replay: (dryRun: boolean) => Promise<Replay>;
  /** What a person calls the message with this id. */
  nameOf: (id: string) => string;
  onClose: () => void;
  onReplayed: (answer: Replay) => void;
};

/** Named of the messages that would come late; more are counted. */
const NAMED = 8;
/** A bounded run leaves some: asked again so often at most. */
const MOST_RUNS = 100;

/** Asks first what a replay would do, and does it only then. */
export function ReplayDialog({ replay, nameOf, onClose, onReplayed }: Props) {
  const words = useWords();
  const [plan, setPlan] = useState<Replay>();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    replay(true).then(setPlan, (caught: unknown) => setError(asApiError(caught)));
  }, []);

  const go = async () => {
    setBusy(true);
    try {
      onReplayed(await replayWhole(replay));
    } catch (caught) {
      setError(asApiError(caught));
      setBusy(false);
    }
  };

  return (
    <Dialog title={words.replay.title} onClose={onClose}>
      {error && <ErrorNotice error={error} />}
      {!plan && !error && <Loading />}
      {plan && (
        <>
          <p>{words.replay.plan(plan.replayed.length, plan.more ?? false)}</p>
          {plan.late.length === 0 ? (
            <p class="muted">{words.replay.noneLate}</p>
          ) : (
            <Late late={plan.late} nameOf={nameOf} />
          )}
        </>
      )}
      <div class="dialog-actions">
        <button type="button" onClick={onClose}>
          {words.cancel}
        </button>
        <button
          type="button"
          class="primary"
          disabled={isBusy || !plan || plan.replayed.length === 0}
          onClick={() => void go()}
        >
          {isBusy ? words.replay.going : words.replay.go(plan?.replayed.length ?? 0)}
        </button>
      </div>
    </Dialog>
  );
}

function Late({ late, nameOf }: { late: string[]; nameOf: (id: string) => string }) {
  const words = useWords();
  return (
    <Notice tone="warn">
      <p>{words.replay.late(late.length)}</p>
      <ul>
        {late.slice(0, NAMED).map((id) => (
          <li key={id}>{nameOf(id)}</li>
        ))}
      </ul>
      {late.length > NAMED && <p>{words.andMore(late.length - NAMED)}</p>}
    </Notice>
  );
}

async function replayWhole(replay: Props["replay"]): Promise<Replay> {
  const whole: Replay = { dryRun: false, replayed: [], late: [], more: false };
  for (let runs = 0; runs < MOST_RUNS; runs += 1) {
    const answer = await replay(false);
    whole.replayed.push(...answer.replayed);
    whole.late.push(...answer.late);
    whole.more = answer.more ?? false;
    // A run that did nothing will do nothing the next time either.
    if (!whole.more || answer.replayed.length === 0) break;
  }
  return whole;
}

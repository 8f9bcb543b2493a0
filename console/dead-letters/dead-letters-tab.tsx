import { useState } from "preact/hooks";
import { listDeadLetters, replayDeadLetters, type Which } from "../api/relay";
import type { DeadLetter } from "../api/types";
import { useDebounced } from "../lib/every";
import { usePages } from "../lib/pages";
import { useMay } from "../operator";
import { PageHeading } from "../parts/heading";
import { Empty, ErrorNotice, Loading } from "../parts/notice";
import { ReplayDialog } from "../parts/replay-dialog";
import { useHappenings, useTenant } from "../tenant/context";
import { useWords } from "../words/language";
import { Aftermath, type Replayed } from "./aftermath";
import { LetterRow } from "./letter-row";

/** After an event: a replay is many of them. */
const QUIET_MS = 500;

/** What was given up, across all tickets of the tenant; to be looked at, and sent again. */
export function DeadLettersTab() {
  const words = useWords();
  const { tenant, subscribe, overview } = useTenant();
  const { owner, name } = tenant;
  const pages = usePages<DeadLetter>(`dead ${owner}`, (before, signal) => listDeadLetters(owner, { before }, signal));
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [which, setWhich] = useState<Which>();
  const [replayed, setReplayed] = useState<Replayed[]>([]);
  useHappenings(subscribe, useDebounced(pages.reload, QUIET_MS));

  const mayReplay = useMay("operator");
  const letters = pages.items;
  const chosen = letters.filter(({ id }) => selected.has(id));
  const areAll = letters.length > 0 && chosen.length === letters.length;
  const choose = (id: string, isChosen: boolean) =>
    setSelected((before) => new Set(isChosen ? [...before, id] : [...before].filter((each) => each !== id)));
  const known = (id: string) => letters.find((letter) => letter.id === id);
  const nameOf = (id: string) => {
    const letter = known(id);
    return letter
      ? `${letter.customerName || letter.ticketNumber}: ${words.messageInLane(letter.sequence, words.lane[letter.lane])}`
      : id;
  };

  return (
    <section>
      <div class="sr-only">
        <PageHeading level={2} title={`${words.tab["dead-letters"]}, ${name}`} />
      </div>
      {replayed.length > 0 && <Aftermath replayed={replayed} onClose={() => setReplayed([])} />}
      {pages.error && <ErrorNotice error={pages.error} retry={pages.reload} />}
      {letters.length === 0 && pages.isLoading && <Loading />}
      {letters.length === 0 && !pages.isLoading && !pages.error && <Empty>{words.deadLetters.none}</Empty>}
      {letters.length > 0 && (
        <>
          {mayReplay && (
            <div class="toolbar sticky">
              <label class="check">
                <input
                  type="checkbox"
                  checked={areAll}
                  indeterminate={chosen.length > 0 && !areAll}
                  onChange={() => setSelected(new Set(areAll ? [] : letters.map(({ id }) => id)))}
                />
                {words.deadLetters.selectAll(letters.length)}
              </label>
              <span class="muted" role="status">
                {words.deadLetters.selected(chosen.length)}
              </span>
              <span class="toolbar-actions">
                <button
                  type="button"
                  class="primary"
                  disabled={chosen.length === 0}
                  onClick={() => setWhich({ ids: chosen.map(({ id }) => id) })}
                >
                  {words.replay.selected(chosen.length)}
                </button>
                <button type="button" onClick={() => setWhich({ all: true })}>
                  {words.replay.all(overview?.dead.messages ?? letters.length)}
                </button>
              </span>
            </div>
          )}
          <ul class="letters">
            {letters.map((letter) => (
              <LetterRow
                key={letter.id}
                letter={letter}
                isChosen={selected.has(letter.id)}
                onChoose={mayReplay ? choose : undefined}
              />
            ))}
          </ul>
        </>
      )}
      {pages.more && (
        <button type="button" class="more" disabled={pages.isLoading} onClick={pages.more}>
          {words.loadMore}
        </button>
      )}
      {which && (
        <ReplayDialog
          replay={(dryRun) => replayDeadLetters(owner, which, dryRun)}
          nameOf={nameOf}
          onClose={() => setWhich(undefined)}
          onReplayed={(answer) => {
            setWhich(undefined);
            setSelected(new Set());
            setReplayed(answer.replayed.map((id) => ({ id, letter: known(id) })));
            pages.reload();
          }}
        />
      )}
    </section>
  );
}

import { useWords } from "../words/language";
import { useTenant } from "./context";

/** Whether what is on the screen follows what happens. */
export function LinkMark() {
  const { link } = useTenant();
  return (
    <span class={`link-mark link-${link}`} role="status">
      {useWords().link[link]}
    </span>
  );
}

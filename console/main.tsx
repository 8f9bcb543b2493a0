import { render } from "preact";
import { App } from "./app";
import { LanguageProvider } from "./words/language";

// Over plain http a token would go out in the open, and the relay takes none. What is local counts as secure without it.
if (!isSecureContext) location.protocol = "https:";

const place = document.querySelector("#app");
if (place) {
  render(
    <LanguageProvider>
      <App />
    </LanguageProvider>,
    place,
  );
}

import { render } from "preact";
import { App } from "./app";
import { LanguageProvider } from "./words/language";

const place = document.querySelector("#app");
if (place) {
  render(
    <LanguageProvider>
      <App />
    </LanguageProvider>,
    place,
  );
}

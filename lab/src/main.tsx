// The page's entry: language and theme before the first paint, then the page.

import { render } from "preact";
import { App } from "./app.tsx";
import { startLanguage } from "./i18n/i18n.ts";
import { startTheme } from "./state/theme.ts";
import "./styles/base.css";

startLanguage(location.search);
startTheme();
const root = document.getElementById("lab");
if (root) render(<App />, root);

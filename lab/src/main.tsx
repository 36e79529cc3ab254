// The page's entry: address, language and theme before the first paint, then the page.

import { render } from "preact";
import { App } from "./app.tsx";
import { startAddressBar } from "./state/address-bar.ts";
import { startTheme } from "./state/theme.ts";
import { startJumps } from "./ui/jump.ts";
import "./styles/base.css";
import "./styles/page.css";

startAddressBar();
startTheme();
const root = document.getElementById("lab");
if (root) render(<App />, root);
startJumps();

// What the storefront and the plain pages load.
document.documentElement.classList.add("js");
import "./toast.js";
import "./weak.js";
import "./copy.js";
import "./submit.js";
import "./theme.js";
import "./overlay.js";
import "./draft.js";
import "./time.js";
import "./code.js";
import "./live.js";
import "./bridge.js";
import "./suggest.js";

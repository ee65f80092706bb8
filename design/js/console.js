// What the console loads: all of the storefront's, and the tools of a desk.
import "./upload.js";
import "./shop.js";
import "./table.js";
import "./command.js";
import "./keys.js";
import "./moment.js";
import "./grid.js";
import "./bundle.js";
import "./rules.js";

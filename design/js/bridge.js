// data-bridge='{"appId": ...}' on a button pays within WeChat, whose app gives pages a bridge;
// it is called at once, and again at a press. data-bridge-done is the page to go to once the
// app has closed its own; whether it is paid, the server asks. data-bridge-lost names an
// element that says the bridge isn't there.
import { mount, $ } from "./dom.js";

mount("[data-bridge]", (button) => {
  const params = JSON.parse(button.dataset.bridge);
  const pay = () => window.WeixinJSBridge.invoke("getBrandWCPayRequest", params, (res) => {
    if (res.err_msg === "get_brand_wcpay_request:ok") location.assign(button.dataset.bridgeDone);
  });
  button.addEventListener("click", () => {
    if (window.WeixinJSBridge) pay(); else $(button.dataset.bridgeLost).hidden = false;
  });
  if (window.WeixinJSBridge) pay(); else document.addEventListener("WeixinJSBridgeReady", pay, { once: true });
});

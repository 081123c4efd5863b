// Single keys for who switched them on (/tools/): never inside a field, never with another key held, never in a dialog.
const prefix = document.documentElement.dataset.prefix ?? "";
const headlines = () => [...document.querySelectorAll("main :is(h1, h2, h3) a[href]")].filter((link) => link.checkVisibility());

function step(by) {
  const links = headlines();
  const next = links[links.indexOf(document.activeElement) + by];
  (next ?? links[by > 0 ? links.length - 1 : 0])?.focus();
}

function press(selector) {
  document.querySelector(selector)?.click();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  "/": () => document.querySelector("input[type=search]")?.focus(),
  h: () => location.assign(`${prefix}/`),
  l: () => location.assign(`${prefix}/latest/`),
  s: () => press("[data-save]"),
  o: () => press(".provenance .button"),
  "?": help,
};

function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable], dialog");
}

document.addEventListener("keydown", (event) => {
  const held = event.ctrlKey || event.altKey || event.metaKey;
  if (held || event.isComposing || event.defaultPrevented || isTyping(event.target) || !KEYS[event.key]) return;
  if (document.querySelector("dialog[open]")) return;
  event.preventDefault();
  KEYS[event.key]();
});

// The list of keys stands on /tools/ in the language of the page; it is shown from there.
function toolsPage() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", `${prefix}/tools/`);
    request.responseType = "document";
    request.timeout = 20_000;
    request.onload = () => resolve(request.response);
    request.onerror = request.ontimeout = reject;
    request.send();
  });
}

async function help() {
  const list = (await toolsPage()).querySelector("dl[data-keys]");
  const dialog = document.createElement("dialog");
  const close = document.createElement("button");
  close.textContent = list.dataset.close;
  close.addEventListener("click", () => dialog.close());
  dialog.setAttribute("aria-label", list.dataset.title);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(document.importNode(list, true), close);
  document.body.append(dialog);
  dialog.showModal();
}

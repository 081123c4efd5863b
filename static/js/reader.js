// The reader's own tools: a reading list, a theme, pages kept for reading offline. All of it stays in this browser.
const LIST = "saved";

function read(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

// --- the reading list ---

// Addresses alone: a headline kept here would outlive its removal.
function saved() {
  const paths = read(LIST, []);
  return Array.isArray(paths) ? paths.filter((path) => typeof path === "string" && path.startsWith("/articles/")) : [];
}

function offerToSave(button) {
  const path = button.dataset.path;
  const show = () => button.setAttribute("aria-pressed", String(saved().includes(path)));
  button.addEventListener("click", () => {
    const others = saved().filter((other) => other !== path);
    write(LIST, others.length === saved().length ? [path, ...others].slice(0, 200) : others);
    show();
  });
  show();
  button.hidden = false;
}

// A request for a document: the policy of trusted types lets no script of ours turn text into markup.
function pageAt(path) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", path);
    request.responseType = "document";
    request.timeout = 20_000;
    request.onload = () => resolve(request);
    request.onerror = request.ontimeout = reject;
    request.send();
  });
}

async function headlineAt(path) {
  try {
    const { status, response } = await pageAt(path);
    const heading = status === 200 && response?.querySelector("h1");
    return heading ? { text: heading.textContent, marks: heading.parentElement } : { gone: [404, 410, 451].includes(status) };
  } catch {
    return {};
  }
}

async function showSaved(list) {
  const paths = saved();
  const found = await Promise.all(paths.map(headlineAt));
  write(LIST, paths.filter((_, index) => !found[index].gone));
  for (const [index, { text, marks, gone }] of found.entries()) {
    if (gone) continue;
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = (document.documentElement.dataset.prefix ?? "") + paths[index];
    link.textContent = text ?? list.dataset.unreachable;
    if (marks?.lang) [link.lang, link.dir] = [marks.lang, marks.dir];
    item.append(link);
    list.append(item);
  }
  document.querySelector("[data-empty]").hidden = list.children.length > 0;
}

// --- the theme ---

function offerThemes(group) {
  const root = document.documentElement;
  for (const choice of group.querySelectorAll("input")) {
    choice.checked = choice.value === (root.dataset.theme ?? "auto");
    choice.addEventListener("change", () => {
      if (choice.value === "auto") {
        delete root.dataset.theme;
        localStorage.removeItem("theme");
      } else {
        root.dataset.theme = choice.value;
        localStorage.setItem("theme", choice.value);
      }
    });
  }
  group.hidden = false;
}

// --- reading offline ---

// The one address from which this page may start a script (its content policy names this policy of types).
const offlineWorker = (() => {
  let policy;
  const createScriptURL = (address) => {
    if (address !== "/offline.js") throw new TypeError(`${address} is no worker of ours`);
    return address;
  };
  return () => {
    policy ??= globalThis.trustedTypes?.createPolicy("offline-worker", { createScriptURL });
    return policy ? policy.createScriptURL("/offline.js") : "/offline.js";
  };
})();

async function keepPages(wanted) {
  if (wanted) {
    await navigator.serviceWorker.register(offlineWorker());
    return;
  }
  for (const worker of await navigator.serviceWorker.getRegistrations()) await worker.unregister();
  for (const name of await caches.keys()) await caches.delete(name);
}

async function offerOffline(box) {
  if (!("serviceWorker" in navigator)) return;
  const choice = box.querySelector("input");
  choice.checked = Boolean(await navigator.serviceWorker.getRegistration("/"));
  choice.addEventListener("change", () => keepPages(choice.checked));
  box.hidden = false;
}

// --- keyboard shortcuts ---

// Off until the reader wants them: single keys are in the way of speech input and screen readers (WCAG 2.1.4).
function offerShortcuts(box) {
  const choice = box.querySelector("input");
  choice.checked = read("keys", false) === true;
  choice.addEventListener("change", () => {
    write("keys", choice.checked);
    location.reload();
  });
  box.hidden = false;
}

document.querySelectorAll("[data-save]").forEach(offerToSave);
document.querySelectorAll("[data-saved]").forEach(showSaved);
document.querySelectorAll("[data-themes]").forEach(offerThemes);
document.querySelectorAll("[data-shortcuts]").forEach(offerShortcuts);
document.querySelectorAll("[data-offline]").forEach(offerOffline);

// Keeps the pages a reader opened, for reading without a network, and obeys removals: the network is always asked first,
// an answer of 404, 410 or 451 drops the copy, every contact asks again for the others, and no copy is shown after its
// X-Valid-Until, nor 23 hours after it was last confirmed: a removal takes effect within 24 hours, here as well.
const PAGES = "pages-1";
const PARTS = "parts-1";
const LONGEST = 23 * 3600 * 1000;
const MOST_PAGES = 60;
const AGAIN_AFTER = 5 * 60 * 1000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(part(request));
  else if (request.mode === "navigate" && !url.search && isPublic(url.pathname)) event.respondWith(page(event));
});

function isPublic(path) {
  return !/^(\/[a-z]{2})?\/(admin|removal|follow|api|media)\//.test(path);
}

async function page(event) {
  const path = new URL(event.request.url).pathname;
  try {
    const answer = await fetch(event.request);
    event.waitUntil(contact(path, answer.clone()));
    return answer;
  } catch {
    return (await kept(path)) ?? offline(path);
  }
}

async function contact(path, answer) {
  await settle(path, answer);
  const pages = await caches.open(PAGES);
  for (const request of await pages.keys()) {
    const other = new URL(request.url).pathname;
    if (other !== path && Date.now() - confirmedAt(await pages.match(request)) > AGAIN_AFTER) await confirm(other);
  }
}

async function confirm(path) {
  try {
    await settle(path, await fetch(path, { redirect: "manual" }));
  } catch {
    // Still offline: the copy's own deadline decides.
  }
}

async function settle(path, answer) {
  const pages = await caches.open(PAGES);
  if (!answer.ok) {
    // A server in trouble says nothing about the article; everything else does.
    if (answer.status < 500) await pages.delete(path);
    return;
  }
  if (/no-store/.test(answer.headers.get("Cache-Control") ?? "")) return;
  const headers = new Headers(answer.headers);
  headers.set("X-Confirmed-At", String(Date.now()));
  await pages.put(path, new Response(await answer.blob(), { status: 200, headers }));
  const all = await pages.keys();
  for (const oldest of all.slice(0, Math.max(0, all.length - MOST_PAGES))) await pages.delete(oldest);
}

async function kept(path) {
  const pages = await caches.open(PAGES);
  const copy = await pages.match(path);
  if (!copy) return undefined;
  const until = Date.parse(copy.headers.get("X-Valid-Until") ?? "") || Infinity;
  const age = Date.now() - confirmedAt(copy);
  if (Date.now() < until && age >= 0 && age < LONGEST) return copy;
  await pages.delete(path);
  return undefined;
}

function confirmedAt(copy) {
  return Number(copy.headers.get("X-Confirmed-At"));
}

async function part(request) {
  const parts = await caches.open(PARTS);
  const copy = await parts.match(request);
  if (copy) return copy;
  const answer = await fetch(request);
  if (answer.ok) await parts.put(request, answer.clone());
  return answer;
}

// Said in the language of the address, as every page is.
const SAID = {
  en: ["You are offline", "This page was not kept, or its time is over.", "Front page"],
  de: ["Sie sind offline", "Diese Seite wurde nicht behalten, oder ihre Zeit ist um.", "Startseite"],
  fr: ["Vous êtes hors ligne", "Cette page n’a pas été gardée, ou son temps est passé.", "Première page"],
  es: ["Está sin conexión", "Esta página no se guardó, o su tiempo ha pasado.", "Portada"],
  uk: ["Ви поза мережею", "Цю сторінку не збережено, або її час минув.", "Головна сторінка"],
  ar: ["لا اتصال بالشبكة", "لم تُحفظ هذه الصفحة، أو انقضى وقتها.", "الصفحة الأولى"],
};

function offline(path) {
  const first = path.split("/")[1];
  const code = first in SAID ? first : "en";
  const [title, text, home] = SAID[code];
  const page =
    `<!doctype html><html lang=${code} dir=${code === "ar" ? "rtl" : "ltr"}><meta charset=utf-8>` +
    `<meta name=viewport content='width=device-width'><title>${title}</title><h1>${title}</h1><p>${text}` +
    ` <a href=/${code === "en" ? "" : `${code}/`}>${home}</a></p></html>`;
  return new Response(page, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } });
}

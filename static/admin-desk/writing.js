// Keeps what is typed into an article's form, offers it back, counts words, and says who else is writing.
const place = document.querySelector("[data-unsaved]");
const form = place?.closest("form");
const QUIET = 2000;
const BEAT = 25000;
let timer = 0;
let sent = "";
let touched = false;

const editor = () => window.CKEDITOR?.instances?.id_body;
const others = place?.querySelector(".writing-others");
const kept = place?.querySelector("[data-kept]");

function typed() {
  editor()?.updateElement();
  const fields = new URLSearchParams(new FormData(form));
  fields.delete("csrfmiddlewaretoken");
  return fields;
}

async function tell(fields) {
  fields.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  const answer = await fetch(place.dataset.unsaved, { method: "POST", body: fields });
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  const said = await answer.json();
  others.hidden = said.others.length === 0;
  others.querySelector("b").textContent = said.others.join(", ");
  return said;
}

async function keep() {
  const fields = typed();
  const now = fields.toString();
  count();
  if (now === sent) return;
  try {
    const said = await tell(fields);
    sent = now;
    kept.textContent = `Kept at ${said.kept_at}, not saved yet.`;
  } catch {
    kept.textContent = "Could not be kept: are you still signed in, and online? It is tried again.";
    timer = window.setTimeout(keep, 5 * QUIET);
  }
}

function soon() {
  touched = true;
  window.clearTimeout(timer);
  timer = window.setTimeout(keep, QUIET);
}

function count() {
  const text = editor()?.editable()?.getText() ?? form.elements.body?.value ?? "";
  const words = text.trim().split(/\s+/).filter(Boolean).length;
  place.querySelector("[data-words]").textContent = words === 1 ? "1 word" : `${words} words`;
}

function putBack(fields) {
  for (const [name, value] of fields) {
    const field = form.elements.namedItem(name);
    if (!field || name === "opened_version" || field.type === "file") continue;
    if (name === "body" && editor()) editor().setData(value);
    else if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = true;
    else if (field instanceof HTMLSelectElement && field.multiple) continue;
    else if ("value" in field) field.value = value;
  }
  soon();
}

function offer() {
  const box = place.querySelector(".writing-offer");
  if (!box) return;
  const stored = JSON.parse(document.getElementById("unsaved-fields").textContent);
  box.querySelector("[data-take-back]").addEventListener("click", () => {
    putBack(new URLSearchParams(stored));
    box.remove();
  });
  box.querySelector("[data-throw-away]").addEventListener("click", async () => {
    await tell(new URLSearchParams({ _forget: "1" }));
    box.remove();
  });
}

function listen() {
  const body = editor();
  if (!body) return;
  const ready = () => {
    body.on("change", soon);
    // The editor writes the body in its own way when it starts; what was typed until then is kept all the same.
    if (touched) soon();
    else sent = typed().toString();
    count();
  };
  if (body.status === "ready") ready();
  else body.on("instanceReady", ready);
}

// A suggested related article is added at once; the form stays as it is.
async function relate(event) {
  const button = event.target.closest("[data-relate]");
  if (!button) return;
  event.preventDefault();
  button.disabled = true;
  const body = new URLSearchParams({ csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
  try {
    const answer = await fetch(button.formAction, { method: "POST", body, headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    button.replaceWith(Object.assign(document.createElement("span"), { className: "added", textContent: "Added" }));
  } catch {
    button.disabled = false;
    button.textContent = "Could not be added: try again";
  }
}

if (form) {
  form.addEventListener("click", relate);
  sent = typed().toString();
  offer();
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", () => window.clearTimeout(timer));
  window.setTimeout(listen, 500);
  const beat = () => tell(new URLSearchParams()).catch(() => {});
  beat();
  window.setInterval(beat, BEAT);
  count();
}

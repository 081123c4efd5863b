// In the editor's dialog for links: find an article of ours by its words.
const WAIT = 250;
const place = document.querySelector("[data-links]");

const FIELD = `<label for="link-words">Find an article of ours</label>
<input type="search" id="link-words" class="cke_dialog_ui_input_text" autocomplete="off" aria-describedby="link-found-count">
<span id="link-found-count" role="status"></span><ul class="link-found"></ul>`;

function choose(dialog, found) {
  const [, protocol, rest] = /^(https?:\/\/)(.*)$/.exec(found.url);
  dialog.setValueOf("info", "protocol", protocol);
  dialog.setValueOf("info", "url", rest);
  const text = dialog.getContentElement("info", "linkDisplayText");
  if (text && !text.getValue()) text.setValue(found.headline);
  dialog.getContentElement("info", "url").focus();
}

async function show(dialog, box, words) {
  const list = box.querySelector(".link-found");
  const told = box.querySelector("[role=status]");
  list.replaceChildren();
  told.textContent = "";
  if (words.length < 3) return;
  const answer = await fetch(`${place.dataset.links}?${new URLSearchParams({ q: words })}`);
  if (!answer.ok || answer.redirected) return void (told.textContent = "Not found: are you still signed in?");
  const { articles } = await answer.json();
  if (box.querySelector("input").value.trim() !== words) return;
  told.textContent = articles.length === 1 ? "1 article" : `${articles.length} articles`;
  for (const found of articles) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${found.headline} (${found.date})`;
    button.addEventListener("click", () => choose(dialog, found));
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
  }
}

// Heard from the document, since the dialog can be typed into before it says that it is shown.
function begin(dialog) {
  let timer = 0;
  document.addEventListener("input", ({ target }) => {
    if (target.id !== "link-words") return;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => show(dialog, target.parentElement, target.value.trim()), WAIT);
  });
  // Enter looks, and does not press the dialog's button.
  document.addEventListener("keydown", (event) => {
    if (event.target.id === "link-words" && event.key === "Enter") event.stopPropagation();
  }, { capture: true });
}

if (window.CKEDITOR && place) {
  window.CKEDITOR.on("dialogDefinition", (event) => {
    if (event.data.name !== "link") return;
    event.data.definition.getContents("info").add({ type: "html", id: "find", html: `<div>${FIELD}</div>` });
    begin(event.data.dialog);
  });
}

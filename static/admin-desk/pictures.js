// Pictures of the library in an article's text: a button of the editor, a dialog to choose and to say what one shows.
const WAIT = 250;
const box = document.getElementById("picture-box");
const named = (name) => box.querySelector(`[data-${name}]`);
const TOKEN = /^picture:([0-9a-f]{32})$/;
const STORED = /(?<!saved-)\bsrc="picture:([0-9a-f]{32})"/g;
let editor = null;
let figure = null;
let chosen = null;
let timer = 0;

const shown = (token, width) => `/media/${token}/${width}.webp`;
const line = (picture) => [picture.credit || "no credit", picture.terms, picture.until && `until ${picture.until}`].filter(Boolean).join(" · ");

async function ask(fields) {
  const answer = await fetch(`${box.dataset.pictures}?${new URLSearchParams(fields)}`);
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  return (await answer.json()).pictures;
}

function choose(picture) {
  chosen = picture;
  named("choice").hidden = false;
  named("image").src = shown(picture.token, 480);
  named("about").textContent = line(picture);
  named("alt").value = figure?.alt ?? picture.alt;
  named("caption").value = figure?.caption ?? picture.caption;
  named("choice").scrollIntoView({ block: "end" });
  named("alt").focus();
}

function item(picture) {
  const button = document.createElement("button");
  const image = Object.assign(document.createElement("img"), { src: shown(picture.token, 480), alt: "", loading: "lazy" });
  const words = Object.assign(document.createElement("span"), { textContent: picture.alt || picture.caption || "nobody said yet" });
  const credit = Object.assign(document.createElement("small"), { textContent: line(picture) });
  button.type = "button";
  button.append(image, words, credit);
  button.addEventListener("click", () => choose(picture));
  const place = document.createElement("li");
  place.append(button);
  return place;
}

async function find() {
  const words = named("words").value.trim();
  try {
    const found = await ask({ q: words });
    if (named("words").value.trim() !== words) return;
    named("found").replaceChildren(...found.map(item));
    named("count").textContent = found.length ? `${found.length} shown, newest first` : "No picture has these words.";
  } catch {
    named("count").textContent = "Not found: are you still signed in?";
  }
}

// What stands at the caret: the picture that is changed, or nothing when one is added.
function atCaret() {
  const widget = editor.widgets.focused ?? editor.widgets.getByElement(editor.getSelection()?.getStartElement());
  return widget?.name === "libraryPicture" ? widget : null;
}

async function open(widget = atCaret()) {
  figure = widget && {
    widget,
    alt: widget.parts.image.getAttribute("alt"),
    caption: widget.editables.caption?.getData().replace(/<[^>]*>/g, "") ?? "",
  };
  chosen = null;
  named("choice").hidden = true;
  named("words").value = "";
  box.showModal();
  named("words").focus();
  find();
  if (!figure) return;
  const [picture] = await ask({ token: tokenOf(widget.parts.image) });
  if (picture) choose(picture);
}

const tokenOf = (image) => TOKEN.exec(image.data("cke-saved-src") || "")?.[1] ?? "";
const escaped = (text) => window.CKEDITOR.tools.htmlEncodeAttr(text);

function put(event) {
  event.preventDefault();
  if (!chosen) return named("words").focus();
  const caption = named("caption").value.trim();
  const html = `<figure><img src="picture:${chosen.token}" alt="${escaped(named("alt").value.trim())}">`
    + `<figcaption>${escaped(caption)}</figcaption></figure>`;
  box.close();
  editor.focus();
  if (figure) figure.widget.focus();
  editor.insertHtml(html);
  figure = null;
}

function listen(one) {
  one.on("pluginsLoaded", () => {
    one.addCommand("openLibrary", { exec: () => { editor = one; open(); } });
    one.ui.addButton("LibraryPicture", { label: "Picture from the library", command: "openLibrary", toolbar: "insert" });
    one.widgets.add("libraryPicture", {
      allowedContent: "figure figcaption img[!src,alt]",
      editables: { caption: { selector: "figcaption", allowedContent: "strong em a[!href]" } },
      parts: { image: "img" },
      upcast: (element) => {
        const image = element.name === "figure" && element.getFirst("img");
        if (!image || !TOKEN.test(image.attributes["data-cke-saved-src"] ?? "")) return false;
        if (!element.getFirst("figcaption")) element.add(new window.CKEDITOR.htmlParser.element("figcaption"));
        return true;
      },
      downcast: (element) => { delete element.attributes["data-credit"]; },
      async init() {
        // The editor swallows keys while a picture is chosen; the key that goes on to the next field is not one of them.
        this.on("key", (event) => (event.data.keyCode & 0xffff) === 9 && event.stop(), null, null, 1);
        this.on("edit", (event) => { event.cancel(); editor = one; open(this); });
        const [picture] = await ask({ token: tokenOf(this.parts.image) }).catch(() => []);
        const text = picture ? line(picture) : "Not shown: withheld, expired or no longer in the library.";
        this.element?.setAttribute("data-credit", text);
      },
    });
  });
  // The browser is given an address that it can show; what is stored stays as it is.
  one.on("toHtml", (event) => {
    event.data.dataValue = event.data.dataValue.replace(STORED, (_, token) => `data-cke-saved-src="picture:${token}" src="${shown(token, 960)}"`);
  }, null, null, 1);
}

if (window.CKEDITOR && box) {
  for (const one of Object.values(window.CKEDITOR.instances)) listen(one);
  window.CKEDITOR.on("instanceCreated", (event) => listen(event.editor));
  box.querySelector("form").addEventListener("submit", put);
  named("close").addEventListener("click", () => box.close());
  named("words").addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(find, WAIT);
  });
  // Enter looks, and puts nothing into the text.
  named("words").addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
}

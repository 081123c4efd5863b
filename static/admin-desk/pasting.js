// What is pasted into an article's body: the words and their structure, without the look of where they came from.
// A picture of the library may be moved within the text.
const FOREIGN = "img:not([src^='picture:'], [data-cke-saved-src^='picture:'])";
const DROPPED = `style, script, meta, link, title, xml, ${FOREIGN}, picture, svg, o\\:p, w\\:sdt`;
const EMBEDS = "iframe, embed, object, video, audio";
const EMPTY = "p, h2, h3, h4, li, strong, em, blockquote";
const RENAMED = { H1: "h2", H5: "h4", H6: "h4", B: "strong", I: "em" };

const unwrap = (node) => node.replaceWith(...node.childNodes);

function rename(node, name) {
  const other = node.ownerDocument.createElement(name);
  other.append(...node.childNodes);
  node.replaceWith(other);
  return other;
}

function each(body, selector, act) {
  for (const node of body.querySelectorAll(selector)) act(node);
}

function dropComments(doc) {
  const walker = doc.createTreeWalker(doc, NodeFilter.SHOW_COMMENT);
  const comments = [];
  while (walker.nextNode()) comments.push(walker.currentNode);
  for (const comment of comments) comment.remove();
}

// An embedded player or post is a link to where it stands.
function linkTo(node) {
  const source = node.getAttribute("src") ?? node.getAttribute("data") ?? node.querySelector("source")?.getAttribute("src");
  if (!/^https?:/.test(source ?? "")) return node.remove();
  const paragraph = node.ownerDocument.createElement("p");
  const link = node.ownerDocument.createElement("a");
  link.href = source;
  link.textContent = source;
  paragraph.append(link);
  node.replaceWith(paragraph);
}

// Word and Google Docs say by style what HTML has elements for.
function sayByElement(node) {
  const { fontWeight, fontStyle, verticalAlign } = node.style;
  const isBold = fontWeight === "bold" || Number(fontWeight) >= 600;
  const names = [isBold && "strong", fontStyle === "italic" && "em", verticalAlign === "super" && "sup", verticalAlign === "sub" && "sub"];
  for (const name of names.filter(Boolean)) {
    const around = node.ownerDocument.createElement(name);
    around.append(...node.childNodes);
    node.append(around);
  }
  unwrap(node);
}

// Word's lists are paragraphs that draw their own bullets.
function gatherLists(body) {
  let open = [];
  for (const paragraph of body.querySelectorAll("p, h1, h2, h3, h4, table, ul, ol")) {
    const level = Number(/mso-list:[^;]*level(\d+)/.exec(paragraph.getAttribute("style") ?? "")?.[1] ?? 0);
    if (!level || open[0]?.parentNode !== paragraph.parentNode) open = [];
    if (!level) continue;
    const drawn = paragraph.querySelector('[style*="mso-list:Ignore" i]');
    const kind = /^\s*[\da-z]{1,3}[.)]/i.test(drawn?.textContent ?? "") ? "ol" : "ul";
    drawn?.remove();
    open.length = Math.min(open.length, level);
    while (open.length < level) {
      const list = paragraph.ownerDocument.createElement(kind);
      if (open.length) (open.at(-1).lastElementChild ?? open.at(-1)).append(list);
      else paragraph.before(list);
      open.push(list);
    }
    const item = paragraph.ownerDocument.createElement("li");
    item.append(...paragraph.childNodes);
    open.at(-1).append(item);
    paragraph.remove();
  }
}

function straighten(link) {
  const target = link.getAttribute("href") ?? "";
  if (!/^(https?:|mailto:)/i.test(target)) return unwrap(link);
  const wrapped = /^https?:\/\/www\.google\.com\/url\?/.test(target) && new URL(target).searchParams.get("q");
  if (/^https?:/.test(wrapped || "")) link.href = wrapped;
}

export function cleaned(html) {
  const doc = new DOMParser().parseFromString(html, "text/html");
  const { body } = doc;
  dropComments(doc);
  each(body, DROPPED, (node) => node.remove());
  each(body, EMBEDS, linkTo);
  each(body, "b[id^=docs-internal-guid]", unwrap);
  each(body, "b, strong", (node) => node.style.fontWeight === "normal" && unwrap(node));
  gatherLists(body);
  each(body, "span, font", sayByElement);
  each(body, Object.keys(RENAMED).join(), (node) => rename(node, RENAMED[node.tagName]));
  each(body, "a", straighten);
  each(body, "li > p:only-of-type", unwrap);
  each(body, "div", (node) => (node.querySelector("p, div, ul, ol, table, h2, h3, h4") ? unwrap(node) : rename(node, "p")));
  each(body, EMPTY, (node) => node.textContent.trim() || node.remove());
  return body.innerHTML.replace(/(&nbsp;|\s)+/g, " ").trim();
}

function listen(editor) {
  // Before the editor's own filter, which lets through what the site shows.
  editor.on("paste", (event) => {
    if (event.data.type !== "text") event.data.dataValue = cleaned(event.data.dataValue);
  }, null, null, 3);
}

if (window.CKEDITOR) {
  for (const editor of Object.values(window.CKEDITOR.instances)) listen(editor);
  window.CKEDITOR.on("instanceCreated", (event) => listen(event.editor));
}

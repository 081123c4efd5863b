// The queue by keyboard, and ready words that go into the field where they can be changed.
const KEPT = "queue-keys";
const help = document.querySelector(".queue-keys");
const toggle = document.querySelector("[data-keys-on]");
const rows = [...document.querySelectorAll("#result_list tbody tr")];
const isOn = () => localStorage.getItem(KEPT) !== "off";

function writing(target) {
  return target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName);
}

function go(element) {
  element?.focus();
  element?.scrollIntoView({ block: "nearest" });
}

// A key brings to the form it names and never sends it; a form of one button alone is sent.
function approach(button) {
  const field = button.form.querySelector("select, textarea, input:not([type=hidden])");
  if (field) {
    go(field);
  } else {
    go(button);
    button.click();
  }
}

function along(step) {
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(Math.max(here + step, 0), rows.length - 1)];
  go(next?.querySelector("th a, td a"));
}

function mark() {
  const row = rows.find((one) => one.contains(document.activeElement));
  row?.querySelector("input.action-select")?.click();
}

const named = {
  "?": () => {
    help.open = !help.open;
    go(help.querySelector("summary"));
  },
  "/": () => go(document.querySelector("#searchbar")),
  q: () => document.querySelector(".breadcrumbs a:last-of-type")?.click(),
  j: () => along(1),
  k: () => along(-1),
  m: mark,
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form?.matches(".decide")) {
    event.preventDefault();
    const [one, next] = event.target.form.querySelectorAll("button[type=submit]");
    event.target.form.requestSubmit(event.shiftKey && next ? next : one);
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target) || !isOn()) return;
  const button = document.querySelector(`button[data-key="${CSS.escape(event.key)}"]`);
  const pane = document.querySelector(`[data-pane="${CSS.escape(event.key)}"] h2`);
  const act = button ? () => approach(button) : pane ? () => go(pane) : named[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

if (toggle) {
  toggle.checked = isOn();
  toggle.addEventListener("change", () => localStorage.setItem(KEPT, toggle.checked ? "on" : "off"));
}

let inserted = "";
function insert(form, option) {
  const field = form.elements.reasons;
  if (!field || !option?.dataset.text || (field.value && field.value !== inserted)) return;
  field.value = inserted = option.dataset.text;
}

for (const choice of document.querySelectorAll("[data-canned]")) {
  choice.addEventListener("change", () => insert(choice.form, choice.selectedOptions[0]));
  choice.form.elements.reason_code?.addEventListener("change", (event) => {
    const fitting = [...choice.options].find((one) => one.dataset.code === event.target.value);
    if (!fitting) return;
    choice.value = fitting.value;
    insert(choice.form, fitting);
  });
}

// The front page's board: slips move by dragging, by their buttons, or to another list; the form carries their order.
const board = document.querySelector("[data-board]");
const said = board.querySelector("[data-said]");
let dragged = null;
let row = null;
let changed = false;

const listOf = (slip) => slip.closest("[data-list]");
const nameOf = (slip) => slip.querySelector(".slip-title").textContent.trim();
const pinnedIn = (list) => [...list.querySelectorAll(":scope > .pinned")];
const titleOf = (list) => list.closest("section").querySelector("h2").textContent;

// Gives the slip the state that its list asks for: pinned in a list of the page, free among the offered.
function settle(slip) {
  const key = listOf(slip).dataset.list;
  const input = slip.querySelector("input[type=hidden]");
  slip.classList.toggle("pinned", key !== "");
  input.name = key ? `pin-${key}` : "";
  input.disabled = key === "";
  changed = true;
}

function tell(text) {
  said.textContent = text;
}

function place(slip, list, before) {
  const room = Number(list.dataset.most);
  if (list.dataset.list && pinnedIn(list).filter((one) => one !== slip).length >= room) {
    tell(`“${titleOf(list)}” is full: it holds ${room} pinned articles. Unpin one first.`);
    return;
  }
  // What is pinned stands before what fills the list by itself.
  const first = [...list.children].find((one) => !one.classList.contains("pinned") && one !== slip) ?? null;
  const free = before && list.dataset.list && !before.classList.contains("pinned");
  list.insertBefore(slip, before && !free ? before : first);
  settle(slip);
  const at = [...list.children].indexOf(slip) + 1;
  tell(list.dataset.list ? `Pinned: ${nameOf(slip)}, place ${at} in “${titleOf(list)}”. Not saved yet.` : `Unpinned: ${nameOf(slip)}. Not saved yet.`);
}

function step(slip, by) {
  const list = listOf(slip);
  if (!slip.classList.contains("pinned") && list.dataset.list) return place(slip, list, null);
  const row = pinnedIn(list);
  const other = row[row.indexOf(slip) + by];
  if (!other) return tell(`${nameOf(slip)} is ${by < 0 ? "first" : "last"} of what is pinned here.`);
  return place(slip, list, by < 0 ? other : other.nextElementSibling);
}

// A row goes before or after another; the fields of the form follow, since they stand in it.
function placeRow(section, other, after) {
  if (!other || other === section) return;
  if (after) other.after(section);
  else other.before(section);
  changed = true;
  const rows = [...board.querySelectorAll("[data-row]")];
  tell(`${section.querySelector("h2").textContent}: row ${rows.indexOf(section) + 1} of ${rows.length}. Not saved yet.`);
}

function stepRow(section, by) {
  const rows = [...board.querySelectorAll("[data-row]")];
  placeRow(section, rows[rows.indexOf(section) + by], by > 0);
}

const offered = () => board.querySelector('[data-list=""]');

board.addEventListener("click", (event) => {
  const arrow = event.target.closest("button[data-step]");
  if (arrow) {
    stepRow(arrow.closest("[data-row]"), Number(arrow.dataset.step));
    arrow.focus();
    return;
  }
  const button = event.target.closest("button[data-do]");
  if (!button) return;
  const slip = button.closest(".slip");
  if (button.dataset.do === "out") place(slip, offered(), offered().firstElementChild);
  else step(slip, button.dataset.do === "up" ? -1 : 1);
  button.focus();
});

board.addEventListener("change", (event) => {
  changed = true;
  const choice = event.target.closest("select[data-do]");
  if (!choice?.value) return;
  const slip = choice.closest(".slip");
  place(slip, board.querySelector(`[data-list="${choice.value}"]`), null);
  choice.value = "";
  choice.focus();
});

board.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".slip");
  row = dragged ? null : event.target.closest?.("[data-row]");
  if (!dragged && !row) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged ? nameOf(dragged) : row.querySelector("h2").textContent);
  (dragged ?? row).classList.add("dragged");
});

board.addEventListener("dragover", (event) => {
  const list = event.target.closest(row ? "[data-row]" : "[data-list]");
  if (!(dragged || row) || !list) return;
  event.preventDefault();
  for (const one of board.querySelectorAll(".over")) one.classList.remove("over");
  (event.target.closest(".slip") ?? list).classList.add("over");
});

board.addEventListener("drop", (event) => {
  if (row) {
    event.preventDefault();
    const other = event.target.closest("[data-row]");
    return placeRow(row, other, row.compareDocumentPosition(other ?? row) & Node.DOCUMENT_POSITION_FOLLOWING);
  }
  const list = event.target.closest("[data-list]");
  if (!dragged || !list) return;
  event.preventDefault();
  const over = event.target.closest(".slip");
  if (over !== dragged) place(dragged, list, over);
});

board.addEventListener("dragend", () => {
  (dragged ?? row)?.classList.remove("dragged");
  for (const one of board.querySelectorAll(".over")) one.classList.remove("over");
  dragged = row = null;
});

// An article from further back: a slip of its own, made after one that is there.
board.querySelector("[data-find]").addEventListener("click", () => {
  const field = board.querySelector("#id_article");
  const option = field.selectedOptions[0];
  if (!option?.value) return tell("Choose an article in the field first.");
  const top = board.querySelector('[data-list="top"]');
  const known = board.querySelector(`.slip[data-article="${option.value}"]`);
  const slip = known ?? made(option.value, option.textContent);
  if (!slip) return tell("There is nothing on the page yet to put it beside.");
  if (!known) offered().prepend(slip);
  return place(slip, top, null);
});

function made(pk, headline) {
  const pattern = board.querySelector(".slip");
  if (!pattern) return null;
  const slip = pattern.cloneNode(true);
  slip.dataset.article = pk;
  slip.querySelector("input[type=hidden]").value = pk;
  const link = slip.querySelector(".slip-title a");
  link.textContent = headline;
  link.href = link.getAttribute("href").replace(/\/\d+\/change\//, `/${pk}/change/`);
  slip.querySelector(".quiet").textContent = "";
  const until = slip.querySelector("input[type=datetime-local]");
  until.name = `until-${pk}`;
  until.value = "";
  for (const one of slip.querySelectorAll("[aria-label]")) {
    one.setAttribute("aria-label", one.getAttribute("aria-label").replace(/([:,]) .*$/, `$1 ${headline}`));
  }
  slip.querySelector(".slip-to .visually-hidden").textContent = `Move to a list: ${headline}`;
  return slip;
}

board.addEventListener("submit", (event) => {
  if (!event.submitter?.formTarget) changed = false;
});
window.addEventListener("beforeunload", (event) => {
  if (changed) event.preventDefault();
});

// Articles of a story are dragged onto the button that says what to do with them: the same ticks, the same form.
const form = document.querySelector("[data-story]");
let dragged = null;

form.addEventListener("dragstart", (event) => {
  dragged = event.target.closest("tr[draggable]");
  event.dataTransfer?.setData("text/plain", dragged?.querySelector("a")?.textContent ?? "");
});

for (const button of form.querySelectorAll("button[name=_do]")) {
  button.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault();
    button.classList.add("over");
  });
  button.addEventListener("dragleave", () => button.classList.remove("over"));
  button.addEventListener("drop", (event) => {
    event.preventDefault();
    const kind = button.value === "lead" ? "radio" : "checkbox";
    dragged.querySelector(`input[type=${kind}]`).checked = true;
    form.requestSubmit(button);
  });
}

form.addEventListener("dragend", () => {
  for (const one of form.querySelectorAll(".over")) one.classList.remove("over");
  dragged = null;
});

// Django's choosers and the halves of a moment have no name for those who hear the page: they take that of their row.
const HALVES = { vDateField: "date", vTimeField: "time" };

// The label of a control, or the heading of its column in a table of rows.
function labelOf(control) {
  const label = document.querySelector(`label[for="${CSS.escape(control.id)}"]`);
  const column = [...(control.closest("td")?.classList ?? [])].find((name) => name.startsWith("field-"));
  const heading = column && control.closest("table").querySelector(`th.column-${CSS.escape(column.slice(6))}`);
  return label ?? heading ?? control.closest(".form-row")?.querySelector("label, legend, .label");
}

function nameAll() {
  for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
    const label = labelOf(select);
    if (!label) continue;
    label.id ||= `name-of-${select.id}`;
    for (const part of select.nextElementSibling.querySelectorAll("[role=combobox], [role=searchbox]")) {
      part.setAttribute("aria-labelledby", `${label.id} ${part.getAttribute("aria-controls") ?? ""}`.trim());
    }
  }
  for (const [half, word] of Object.entries(HALVES)) {
    for (const input of document.querySelectorAll(`input.${half}`)) {
      input.setAttribute("aria-label", `${labelOf(input)?.textContent.replace(/[:\s]+$/, "") ?? ""} ${word}`.trim());
    }
  }
}

// After the choosers were made, which wait for the same moment.
if (window.django?.jQuery) window.django.jQuery(nameAll);
else nameAll();
document.addEventListener("formset:added", () => setTimeout(nameAll));

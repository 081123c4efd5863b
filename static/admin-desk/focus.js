// A click on a picture says where its subject is; the two number fields say the same by keyboard.
const picture = document.querySelector("img[data-focus]");
const across = document.getElementById("id_focus_x");
const down = document.getElementById("id_focus_y");

if (picture && across && down) {
  const frame = document.createElement("span");
  const mark = document.createElement("span");
  frame.className = "focus";
  mark.className = "focus-mark";
  picture.replaceWith(frame);
  frame.append(picture, mark);
  const show = () => {
    mark.style.left = `${across.value || 50}%`;
    mark.style.top = `${down.value || 50}%`;
  };
  frame.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    across.value = Math.round((100 * (event.clientX - box.left)) / box.width);
    down.value = Math.round((100 * (event.clientY - box.top)) / box.height);
    show();
  });
  for (const field of [across, down]) field.addEventListener("input", show);
  show();
}

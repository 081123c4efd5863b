// The reader's choice of light or dark, before the first paint. A classic script on purpose: a module would come too late.
try {
  const theme = document.documentElement.dataset.theme ?? localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  // Keys are fetched only by who switched them on.
  if (localStorage.getItem("keys") === "true") import(document.currentScript.dataset.keys);
} catch {
  // Storage is switched off: the page follows the system.
}

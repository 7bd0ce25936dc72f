// What a visitor chooses about the looks, remembered by this browser: light or dark (the system's choice until then), and
// whether plugins may put notices under replies.
const onebase = {
  key: "onebase-theme",
  system: window.matchMedia("(prefers-color-scheme: dark)"),
  dark() {
    const chosen = localStorage.getItem(this.key);
    return chosen ? chosen === "dark" : this.system.matches;
  },
  apply() {
    document.body.classList.toggle("dark", this.dark());
    document.body.classList.toggle("no-notices", localStorage.getItem("onebase-notices") === "off");
  },
  toggleTheme() {
    localStorage.setItem(this.key, this.dark() ? "light" : "dark");
    this.apply();
  },
  // Remarks of plugins under replies: shown until the visitor switches them off.
  toggleNotices() {
    const off = localStorage.getItem("onebase-notices") === "off";
    localStorage.setItem("onebase-notices", off ? "on" : "off");
    this.apply();
  },
};
// The button under a result copies the text before it. Without the clipboard (a page that is not served securely has
// none) the selection is copied.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const result = button.previousElementSibling;
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(result.innerText.trim());
  } else {
    getSelection().selectAllChildren(result);
    document.execCommand("copy");
    getSelection().removeAllRanges();
  }
  const label = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => (button.textContent = label), 1500);
});
// Gradio sets the class itself while it starts; whenever the two disagree, the visitor's choice holds.
function watchTheme() {
  onebase.apply();
  onebase.system.addEventListener("change", () => onebase.apply());
  new MutationObserver(() => {
    if (document.body.classList.contains("dark") !== onebase.dark()) onebase.apply();
  }).observe(document.body, { attributeFilter: ["class"] });
}
if (document.body) watchTheme();
else document.addEventListener("DOMContentLoaded", watchTheme);

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

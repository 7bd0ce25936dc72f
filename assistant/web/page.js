// Light or dark: the system's choice until the visitor makes one, which this browser then remembers.
const onebase = {
  key: "onebase-theme",
  system: window.matchMedia("(prefers-color-scheme: dark)"),
  dark() {
    const chosen = localStorage.getItem(this.key);
    return chosen ? chosen === "dark" : this.system.matches;
  },
  apply() {
    document.body.classList.toggle("dark", this.dark());
  },
  toggleTheme() {
    localStorage.setItem(this.key, this.dark() ? "light" : "dark");
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

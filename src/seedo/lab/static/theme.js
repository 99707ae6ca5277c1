// Runs before the page is drawn, so that a dark page does not flash white.
{
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";

  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }

  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const show = () => button.setAttribute("aria-pressed", dark());
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      show();
      try {
        localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // As above.
      }
    });
    prefersDark.addEventListener("change", show);
    show();
  });
}

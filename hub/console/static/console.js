// Refreshing can be paused; it also rests while the page is hidden. Everything works without this.
"use strict";
(() => {
  const box = document.querySelector("[data-refresh]");
  if (!box || !window.htmx) return;
  const button = box.querySelector("button");
  const text = box.querySelector("span");
  const key = "ki-hub-refresh-paused";
  let paused = sessionStorage.getItem(key) === "yes";
  const show = () => {
    button.setAttribute("aria-pressed", String(paused));
    text.textContent = paused ? box.dataset.off : box.dataset.on;
  };
  button.addEventListener("click", () => {
    paused = !paused;
    sessionStorage.setItem(key, paused ? "yes" : "no");
    show();
  });
  document.addEventListener("htmx:before:request", (event) => {
    if (paused || document.hidden) event.preventDefault();
  });
  show();
  box.hidden = false;
})();

// What a page cannot do by itself: say that the site does not answer at all, and
// see whether anybody looks.
(() => {
  const trouble = () => document.getElementById("trouble");
  document.addEventListener("htmx:error", () => { trouble().hidden = false; });
  document.addEventListener("htmx:after:request", () => { trouble().hidden = true; });
  // What refreshes by itself waits while nobody looks.
  document.addEventListener("htmx:before:request", (event) => {
    if (document.hidden && event.target.matches?.("[data-live]")) event.preventDefault();
  });
})();

// A piece's address: handed to the system's share sheet where there is one, else copied.
(() => {
  const canCopy = navigator.clipboard?.writeText, button = document.querySelector("[data-share]");
  if (!button || !(navigator.share || canCopy)) return;
  const url = () => document.querySelector("link[rel=canonical]")?.href ?? location.href.split("#")[0];
  if (!navigator.share) button.textContent = "Copy the address";
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      if (navigator.share) return await navigator.share({ title: document.title, url: url() });
      await navigator.clipboard.writeText(url());
      button.textContent = button.dataset.shareDone;
      document.getElementById("announcer").textContent = button.dataset.shareDone;
    } catch { /* the person thought better of it, or the browser did: the address stands beside */ }
  });
})();

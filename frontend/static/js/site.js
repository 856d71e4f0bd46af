// What a page cannot say by itself: that the site does not answer at all.
(() => {
  const trouble = () => document.getElementById("trouble");
  document.addEventListener("htmx:error", () => { trouble().hidden = false; });
  document.addEventListener("htmx:after:request", () => { trouble().hidden = true; });
})();

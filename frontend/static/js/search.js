// What an input method is still composing is not searched for; what it composed is.
addEventListener("input", (event) => {
  if (event.isComposing) event.stopImmediatePropagation();
}, true);
addEventListener("compositionend", ({ target }) => target.dispatchEvent(new Event("input", { bubbles: true })));

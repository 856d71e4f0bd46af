// A password can be looked at while it is typed, and is hidden again when it is sent:
// else the browser might offer it later, as it does any text.
(() => {
  const input = (button) => document.getElementById(button.getAttribute("aria-controls"));
  const show = (button, shown) => {
    input(button).type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", shown);
  };
  const appear = () => document.querySelectorAll(".show-password").forEach((button) => { button.hidden = false; });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.(".show-password");
    if (button) show(button, input(button).type === "password");
  });
  document.addEventListener("submit", ({ target }) => {
    for (const button of target.querySelectorAll(".show-password")) show(button, false);
  }, true);
  document.addEventListener("htmx:after:swap", appear);
  appear();
})();

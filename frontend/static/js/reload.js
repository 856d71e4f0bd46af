// Development only: reload the page when the process behind it is another one, or an asset has changed.
(() => {
  let first;
  new EventSource("/dev/reload").addEventListener("start", (event) => {
    first ??= event.data;
    if (first !== event.data) location.reload();
  });
})();

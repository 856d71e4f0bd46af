// A larger picture: its link opens a dialog, which any click closes, instead of the file.
document.getElementById("enlarge").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab or a window of its own
  event.preventDefault();
  document.getElementById("larger").showModal();
});
document.getElementById("larger").addEventListener("click", (event) => event.currentTarget.close());

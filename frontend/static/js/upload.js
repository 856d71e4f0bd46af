// A piece's picture is a file or a drawing. A file is shown before it is sent, and one that is too large need not travel.
document.addEventListener("change", async ({ target }) => {
  const form = target.closest("#piece-form");
  if (!form || !["file", "picture"].includes(target.name)) return;
  const file = form.elements.file, preview = form.querySelector(".preview");
  if (target !== file) file.value = "";
  const [chosen] = file.files;
  form.querySelector(".pictures").toggleAttribute("data-file", Boolean(chosen));
  file.setCustomValidity(chosen?.size > file.dataset.most ? file.dataset.tooLarge : "");
  preview.replaceChildren();
  if (!chosen || !file.reportValidity()) return;

  const picture = new Image(); // its name stands in the field
  picture.alt = "";
  picture.src = URL.createObjectURL(chosen);
  try {
    await picture.decode();
    if (file.files[0] === chosen) preview.replaceChildren(picture);
  } catch { /* the browser cannot draw it; the server says what is wrong with it */ }
  URL.revokeObjectURL(picture.src);
});

// Fills the form from a demo account without a round trip. Without this script the same buttons
// submit the form, and the provider answers with the name filled in.
for (const button of document.querySelectorAll("[data-testid=demo-account]")) {
  button.addEventListener("click", (event) => {
    const form = button.form;
    if (!form) return;
    event.preventDefault();
    form.elements.username.value = button.dataset.username ?? "";
    form.elements.password.value = button.dataset.password ?? "";
    form.querySelector("[data-testid=submit]")?.focus();
  });
}

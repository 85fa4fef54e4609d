// Starts a page that has everything in itself.
const script = document.querySelector('script[data-path="page.js"]');
const bytes = Uint8Array.from(atob(String(script?.textContent)), (letter) => letter.charCodeAt(0));
import(URL.createObjectURL(new Blob([bytes], { type: "text/javascript" })))
  .then(({ showPage }) => showPage())
  .catch((error) => {
    const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));
    problem.textContent = `this page cannot be started here: ${error.message}`;
    problem.hidden = false;
  });

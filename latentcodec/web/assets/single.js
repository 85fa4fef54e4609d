// Starts a page that has everything in itself: its modules become addresses that can be imported.
(() => {
  const address = (/** @type {string} */ source) =>
    URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const source = (/** @type {string} */ path) => {
    const text = document.querySelector(`script[data-path="${path}"]`)?.textContent;
    const bytes = Uint8Array.from(atob(String(text)), (letter) => letter.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  };
  const library = JSON.stringify(address(source("latentcodec.js")));
  import(address(source("page.js").replace('"./latentcodec.js"', library)))
    .then(({ showPage }) => showPage())
    .catch((error) => {
      const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));
      problem.textContent = `this page cannot be started here: ${error.message}`;
      problem.hidden = false;
    });
})();

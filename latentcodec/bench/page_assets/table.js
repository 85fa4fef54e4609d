"use strict";
// The table that sorts, the notes below it, and the facts of the run.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("table");
  const { headings, rows, notes } = data.table;
  let sorted = { column: -1, rising: true };

  function cell(tag, text) {
    const node = document.createElement(tag);
    node.textContent = text;
    return node;
  }

  function compare(first, second) {
    const [a, b] = [parseFloat(first), parseFloat(second)];
    return Number.isNaN(a) || Number.isNaN(b) ? first.localeCompare(second, "en") : a - b;
  }

  function inOrder() {
    const { column, rising } = sorted;
    if (column < 0) return rows;
    // What was not measured or refused has no number and stays at the end.
    const bare = (row) => column > 0 && Number.isNaN(parseFloat(row[column]));
    return [...rows].sort((a, b) => bare(a) - bare(b)
      || (rising ? 1 : -1) * compare(a[column], b[column]));
  }

  function draw() {
    const head = document.createElement("tr");
    headings.forEach((heading, column) => {
      const node = cell("th", heading);
      node.tabIndex = 0;
      if (column === sorted.column) node.ariaSort = sorted.rising ? "ascending" : "descending";
      const sort = () => {
        sorted = { column, rising: column === sorted.column ? !sorted.rising : true };
        draw();
      };
      node.addEventListener("click", sort);
      node.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
      head.append(node);
    });
    const body = inOrder().map((row) => {
      const line = document.createElement("tr");
      line.append(...row.map((text) => cell("td", text)));
      return line;
    });
    table.replaceChildren(head, ...body);
  }

  function shown(value) {
    if (Array.isArray(value)) return value.join(", ");
    if (value === null || typeof value !== "object") return String(value ?? "unknown");
    return Object.entries(value).map(([key, part]) => `${key}: ${shown(part)}`).join("; ");
  }

  function statistics({ title, headings: names, rows: lines }) {
    const caption = cell("p", `${title}.`), box = document.createElement("div");
    const made = document.createElement("table"), head = document.createElement("tr");
    head.append(...names.map((name) => cell("th", name)));
    made.append(head, ...lines.map((line) => {
      const row = document.createElement("tr");
      row.append(...line.map((text) => cell("td", text.replaceAll("**", ""))));
      return row;
    }));
    box.className = "scroll";
    box.append(made);
    return [caption, box];
  }

  document.getElementById("statistics").append(...data.statistics.flatMap(statistics));
  document.getElementById("notes").append(...notes.map((note) => cell("li", note)));
  for (const [name, value] of Object.entries(data.facts)) {
    const text = shown(value);
    if (text) {
      document.getElementById("facts").append(cell("dt", name.replaceAll("_", " ")), cell("dd", text));
    }
  }
  document.getElementById("lead").textContent =
    `${data.facts.date}, ${data.facts.machine}. Sizes of real files.`;
  draw();
})();

"use strict";
// Blind pairs: random order, random sides, votes kept in the page, a sum with intervals at the end.
(() => {
  // As the file was, without what is drawn below: this is what is saved, with the votes.
  const pristine = document.documentElement.cloneNode(true);
  const data = JSON.parse(document.getElementById("data").textContent);
  const votes = JSON.parse(document.getElementById("votes").textContent);
  const Z = 1.959964; // of a 95 % interval
  const get = (id) => document.getElementById(id);
  const originals = new Map(data.images.map(({ name, src }) => [name, src]));
  const panes = ["left", "right"].map((side) => get(`picture-${side}`));
  const done = new Set(votes.map((vote) => vote.pair));
  const open = shuffled(data.pairs.map((_, index) => index).filter((index) => !done.has(index)));
  let shown = null;

  function shuffled(list) {
    for (let last = list.length - 1; last > 0; last--) {
      const other = Math.floor(Math.random() * (last + 1));
      [list[last], list[other]] = [list[other], list[last]];
    }
    return list;
  }

  function next() {
    get("progress").textContent = `${votes.length} of ${data.pairs.length} pairs`;
    if (!open.length) {
      reveal();
      return;
    }
    const index = open.pop();
    shown = { index, pair: data.pairs[index], sides: Math.random() < 0.5 ? [0, 1] : [1, 0] };
    showPictures();
    for (const pane of document.querySelectorAll(".pane")) pane.scrollTo(0, 0);
  }

  function showPictures() {
    panes.forEach((pane, place) => { pane.src = shown.pair.pictures[shown.sides[place]].src; });
  }

  function showOriginal() {
    if (shown) for (const pane of panes) pane.src = originals.get(shown.pair.image);
  }

  function vote(choice) {
    if (!shown) return;
    const { index, pair, sides } = shown;
    const codecs = sides.map((side) => pair.pictures[side].codec);
    votes.push({ pair: index, image: pair.image, left: codecs[0], right: codecs[1], choice,
      at: new Date().toISOString() });
    shown = null;
    get("votes").textContent = asText(votes);
    next();
  }

  // A script element ends at the first "</", wherever that stands.
  function asText(value) {
    return JSON.stringify(value, null, 1).replaceAll("</", "<\\/");
  }

  // 1 for the codec that stands in every pair, 0 for its rival, 1/2 for no difference.
  function score({ left, choice }) {
    if (choice === "equal") return 0.5;
    return (left === data.own) === (choice === "left") ? 1 : 0;
  }

  // Wilson's score interval of a share (Wilson 1927), in percent.
  function interval(sum, count) {
    const share = sum / count, square = Z * Z / count;
    const middle = (share + square / 2) / (1 + square);
    const reach = Z / (1 + square) * Math.sqrt(share * (1 - share) / count + square / (4 * count));
    return [middle - reach, middle + reach].map((end) => (100 * end).toFixed(1));
  }

  function share(sum, count) {
    if (!count) return "-";
    const [low, high] = interval(sum, count);
    return `${(100 * sum / count).toFixed(1)} % (${low} to ${high})`;
  }

  function table(headings, rows) {
    const made = document.createElement("table");
    for (const [tag, cells] of [["th", headings], ...rows.map((row) => ["td", row])]) {
      const line = document.createElement("tr");
      line.append(...cells.map((text) => {
        const cell = document.createElement(tag);
        cell.textContent = text;
        return cell;
      }));
      made.append(line);
    }
    return made;
  }

  function byRival() {
    const rivals = new Map();
    for (const one of votes) {
      const rival = one.left === data.own ? one.right : one.left;
      if (!rivals.has(rival)) rivals.set(rival, []);
      rivals.get(rival).push(score(one));
    }
    return [...rivals].map(([rival, scores]) => [
      rival, scores.length, ...[1, 0, 0.5].map((s) => scores.filter((x) => x === s).length),
      share(scores.reduce((sum, s) => sum + s, 0), scores.length),
    ]);
  }

  // How often the picture that a metric has higher was chosen, where one was chosen.
  function byMetric() {
    return data.metrics.map((label, place) => {
      let right = 0, count = 0;
      for (const one of votes) {
        const values = data.pairs[one.pair].pictures.map((picture) => picture.metrics[place]);
        const comparable = values.every((value) => value !== null) && values[0] !== values[1];
        if (one.choice === "equal" || !comparable) continue;
        count += 1;
        right += (score(one) === 1) === (values[0] > values[1]) ? 1 : 0;
      }
      return [label, count, share(right, count)];
    });
  }

  function reveal() {
    shown = null;
    get("voting").hidden = true;
    get("reveal").hidden = true;
    const heading = document.createElement("h2");
    heading.textContent = `${data.own} against the others, ${votes.length} votes`;
    const list = document.createElement("pre");
    list.textContent = asText(votes);
    get("result").replaceChildren(
      heading,
      table(["against", "votes", "for it", "against it", "no difference",
        "preferred, no difference counted half, 95 % interval"], byRival()),
      table(["metric", "votes", "the chosen picture is the metric's, 95 % interval"], byMetric()),
      list,
    );
    get("result").hidden = false;
  }

  function save() {
    pristine.querySelector("#votes").textContent = asText(votes);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(
      new Blob([`<!doctype html>\n${pristine.outerHTML}`], { type: "text/html" }));
    link.download = "blind-votes.html";
    link.click();
  }

  for (const choice of ["left", "equal", "right"]) {
    get(choice).addEventListener("click", () => { vote(choice); });
  }
  get("original").addEventListener("pointerdown", showOriginal);
  for (const end of ["pointerup", "pointerleave"]) {
    get("original").addEventListener(end, () => { if (shown) showPictures(); });
  }
  const choices = { a: "left", b: "right", e: "equal" };
  document.addEventListener("keydown", ({ key, repeat }) => {
    const pressed = key.toLowerCase();
    if (repeat) return;
    if (pressed === "o") showOriginal();
    else if (pressed in choices) vote(choices[pressed]);
  });
  document.addEventListener("keyup", ({ key }) => {
    if (key.toLowerCase() === "o" && shown) showPictures();
  });
  document.querySelectorAll(".pane").forEach((pane, _, all) => {
    pane.addEventListener("scroll", () => {
      for (const other of all) {
        if (other !== pane) other.scrollTo(pane.scrollLeft, pane.scrollTop);
      }
    });
  });
  get("reveal").addEventListener("click", reveal);
  get("save").addEventListener("click", save);
  next();
})();

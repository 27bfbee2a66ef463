"use strict";
// Every module was laid out on its own, with all that is in it closed. An open one needs more room than it has there:
// the space around it is stretched, along each axis as much as the module that needs most of it wants.
(() => {
  const escaped = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

  /** A monotone map of one axis: `wants` are [from, to, length wanted]; elsewhere distances stay as they are. */
  function stretched(wants) {
    const ends = [...new Set(wants.flatMap(([from, to]) => [from, to]))].sort((a, b) => a - b);
    const steps = ends.slice(1).map((to, k) => {
      const from = ends[k];
      const over = wants.filter((want) => want[0] <= from && to <= want[1]);
      const factor = Math.max(1, ...over.map(([low, high, wanted]) => wanted / (high - low)));
      return [from, to, (factor - 1) * (to - from)];
    });
    return (x) => steps.reduce((moved, [from, to, more]) => {
      const part = to > from ? Math.min(1, Math.max(0, (x - from) / (to - from))) : 0;
      return moved + part * more;
    }, x);
  }

  class Picture {
    constructor(holder) {
      this.data = JSON.parse(holder.querySelector("script").textContent);
      this.holder = holder.querySelector(".drawn");
      this.open = new Set(this.data.opened);
      holder.querySelectorAll("[data-fold]").forEach((button) =>
        button.addEventListener("click", () => this.foldAll(button.dataset.fold)));
      holder.querySelectorAll("[data-show]").forEach((button) =>
        button.addEventListener("click", () => this.show(Number(button.dataset.show))));
      this.holder.addEventListener("click", (event) => this.toggle(event.target.closest("[data-at]")));
      this.holder.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        this.toggle(event.target.closest("[data-at]"));
      });
      for (const [name, shown] of [["pointermove", true], ["focusin", true], ["pointerleave", false], ["focusout", false]])
        this.holder.addEventListener(name, (event) => hover(shown && event, this));
      let width = 0;
      new ResizeObserver(() => {
        if (this.holder.clientWidth !== width) { width = this.holder.clientWidth; this.draw(); }
      }).observe(this.holder);
      this.draw();
    }

    foldAll(how) {
      const all = Object.keys(this.data.modules).map(Number);
      this.open = new Set(how === "open" ? all : how === "closed" ? [0] : this.data.opened);
      this.draw();
    }

    toggle(element) {
      const at = element && Number(element.dataset.at);
      if (!element || !(at in this.data.modules) || at === 0) return;
      const before = element.getBoundingClientRect();
      if (!this.open.delete(at)) this.open.add(at);
      this.draw();
      const now = this.holder.querySelector(`[data-at="${at}"]`);
      const place = now.getBoundingClientRect();
      window.scrollBy(0, place.top - before.top);
      this.holder.scrollLeft += place.left + place.width / 2 - before.left - before.width / 2;
      now.focus({ preventScroll: true });
    }

    show(at) {
      for (let outer = this.data.blocks[at].within; outer !== null; outer = this.data.blocks[outer].within) this.open.add(outer);
      this.draw();
      const element = this.holder.querySelector(`[data-at="${at}"]`);
      element.scrollIntoView({ block: "center", behavior: "smooth" });
      element.classList.add("called");
      setTimeout(() => element.classList.remove("called"), 2500);
    }

    /** A module with all that is open in it: size, boxes, lines and ports from its own upper left corner. */
    composed(at) {
      const own = this.data.modules[at];
      const inner = {};
      const wants = [[], []];
      for (const [child, [x, y, width, height]] of Object.entries(own.boxes)) {
        if (!(child in this.data.modules) || !this.open.has(Number(child))) continue;
        inner[child] = this.composed(Number(child));
        wants[0].push([x, x + width, inner[child].width]);
        wants[1].push([y, y + height, inner[child].height]);
      }
      const [across, down] = wants.map(stretched);
      const boxes = {};
      for (const [child, [x, y, width, height]] of Object.entries(own.boxes)) {
        const known = inner[child] || { width, height };
        const middle = [across(x + width / 2), down(y + height / 2)];
        boxes[child] = [middle[0] - known.width / 2, middle[1] - known.height / 2, known.width, known.height];
      }
      const lines = own.lines.map((line) => this.moved(line, own, boxes, inner, across, down));
      const ports = (places) => Object.fromEntries(Object.entries(places).map(([port, x]) => [port, across(x)]));
      return { width: across(own.width), height: down(own.height), boxes, lines, inner, in: ports(own.in), out: ports(own.out) };
    }

    /** A line whose ends stay where they are on their blocks, or go to the ports that an open module has. */
    moved(line, own, boxes, inner, across, down) {
      const points = line.points.map(([x, y]) => [across(x), down(y)]);
      const last = points.length - 1;
      const ends = [[line.source, [0, 1], "out"], [line.target, [last, last - 1], "in"]];
      for (const [block, near, side] of ends) {
        if (block < 0) continue;
        const [left, top, width, height] = boxes[block];
        const [x, y, oldWidth, oldHeight] = own.boxes[block];
        const [endX, endY] = line.points[near[0]];
        const end = inner[block]
          ? [left + inner[block][side][line.port], side === "out" ? top + height : top]
          : [left + width / 2 + endX - x - oldWidth / 2, top + height / 2 + endY - y - oldHeight / 2];
        const by = [end[0] - points[near[0]][0], end[1] - points[near[0]][1]];
        for (const k of near) points[k] = [points[k][0] + by[0], points[k][1] + by[1]];
      }
      const half = line.points.length >> 1;
      const label = [0, 1].map((axis) => points[half][axis] + line.label[axis] - line.points[half][axis]);
      return { ...line, points, label };
    }

    draw() {
      const whole = this.composed(0);
      this.places = {};
      const parts = [];
      this.drawModule(0, whole, 0, 0, parts);
      const room = this.holder.clientWidth - 26;
      const notes = whole.width + 40 + this.data.noteWidth <= room ? this.notes(whole.width + 40) : { parts: [], lowest: 0 };
      const width = notes.parts.length ? whole.width + 42 + this.data.noteWidth : whole.width + 2;
      const height = Math.max(whole.height + 2, notes.lowest);
      const scale = Math.min(1, Math.max(this.data.smallest, room / width));
      this.holder.innerHTML = `<svg class="picture" xmlns="http://www.w3.org/2000/svg" width="${width * scale}" height="${height * scale}" ` +
        `viewBox="-1 -1 ${width} ${height}" role="group" aria-label="the model as a picture">${this.data.markers}` +
        `${parts.join("")}${notes.parts.join("")}</svg>`;
      const [x, , across] = this.places[1];
      this.holder.scrollLeft = (x + across / 2) * scale - this.holder.clientWidth / 2;
    }

    drawModule(at, inside, left, top, parts) {
      const block = this.data.blocks[at];
      this.places[at] = [left, top, inside.width, inside.height];
      parts.push(`<g class="block open ${at ? "folding" : ""} ${block.marks}" data-at="${at}" ${at ? 'tabindex="0" role="button" aria-expanded="true"' : ""} ` +
        `aria-label="${escaped(block.words)}" transform="translate(${left} ${top})">` +
        `<rect class="frame" rx="10" width="${inside.width}" height="${inside.height}"/>${block.frame}</g>`);
      for (const line of inside.lines) {
        const points = line.points.map(([x, y]) => `${(left + x).toFixed(1)} ${(top + y).toFixed(1)}`);
        const ends = line.target >= 0 && !(inside.inner[line.target]);
        const tip = line.broken ? "tip-broken" : "tip";
        parts.push(`<path class="line${line.broken ? " broken" : line.arc ? " arc" : ""}" d="M${points[0]}C${points.slice(1).join(" ")}"${ends ? ` marker-end="url(#${tip})"` : ""}/>`);
      }
      for (const [child, [x, y, width, height]] of Object.entries(inside.boxes)) {
        if (inside.inner[child]) {
          this.drawModule(Number(child), inside.inner[child], left + x, top + y, parts);
          continue;
        }
        const inner = this.data.blocks[child];
        const folding = child in this.data.modules;
        this.places[child] = [left + x, top + y, width, height];
        parts.push(`<g class="block ${folding ? "folding" : ""} ${inner.family} ${inner.marks}" data-at="${child}" tabindex="0" ` +
          `${folding ? 'role="button" aria-expanded="false"' : 'role="img"'} aria-label="${escaped(inner.words)}" ` +
          `transform="translate(${left + x} ${top + y})">${inner.box}</g>`);
      }
      for (const line of inside.lines) {
        if (line.source < 0 || line.target < 0) continue;
        const marks = line.broken ? " broken" : line.same ? " same" : "";
        parts.push(`<text class="shape${marks}" x="${left + line.label[0] + this.data.labelAside}" y="${top + line.label[1] + 4}">${escaped(line.shape)}</text>`);
      }
    }

    notes(left) {
      const parts = [];
      let free = 0;
      const placed = this.data.notes.map((note) => {
        let at = note.at;
        while (!(at in this.places)) at = this.data.blocks[at].within;
        return { ...note, place: this.places[at] };
      });
      for (const note of placed.sort((a, b) => a.place[1] - b.place[1])) {
        const [x, y, width, height] = note.place;
        const middle = y + Math.min(height, 60) / 2;
        const high = 15 * note.lines.length + 14;
        const top = Math.max(free, middle - high / 2);
        free = top + high + 12;
        parts.push(`<path class="leader ${note.kind}" d="M${x + width} ${middle}L${left - 8} ${middle}L${left} ${top + high / 2}"/>`);
        const lines = note.lines.map(([name, text], k) => `<text class="${name}" x="12" y="${20 + 15 * k}">${escaped(text)}</text>`);
        parts.push(`<g class="note ${note.kind}" transform="translate(${left} ${top})"><rect rx="6" width="${this.data.noteWidth}" height="${high}"/>${lines.join("")}</g>`);
      }
      return { parts, lowest: free };
    }
  }

  const tip = document.getElementById("hover");
  function hover(event, picture) {
    const element = event && event.target.closest && event.target.closest("[data-at]");
    tip.hidden = !element;
    if (!element) return;
    tip.textContent = picture.data.blocks[element.dataset.at].words;
    const box = element.getBoundingClientRect();
    const [x, y] = event.type === "focusin" ? [box.right, box.top] : [event.clientX, event.clientY];
    tip.style.left = `${Math.max(4, Math.min(x + 14, window.innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 14, window.innerHeight - tip.offsetHeight - 8))}px`;
  }

  function sortable(table) {
    table.querySelectorAll("th button").forEach((button, column) => button.addEventListener("click", () => {
      const head = button.parentElement;
      const falls = head.getAttribute("aria-sort") === (head.classList.contains("number") ? "descending" : "ascending");
      const downward = head.classList.contains("number") ? !falls : falls;
      table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", downward ? "descending" : "ascending");
      const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const compare = head.classList.contains("number")
        ? (a, b) => Number(value(a)) - Number(value(b))
        : (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
      const rows = [...table.tBodies[0].rows].sort((a, b) => (downward ? compare(b, a) : compare(a, b)));
      table.tBodies[0].append(...rows);
    }));
  }

  document.querySelectorAll(".target").forEach((section) => {
    if (section.querySelector(".drawn") && section.querySelector("script")) new Picture(section);
  });
  document.querySelectorAll("table").forEach(sortable);
})();

"use strict";
(async () => {
  const $ = (id) => document.getElementById(id);
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  // Light and dark: what the system says, until somebody chooses.
  const root = document.documentElement;
  const theme = $("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remembered = (value) => {
    try {
      if (value) localStorage.setItem("prefectx-theme", value);
      return localStorage.getItem("prefectx-theme");
    } catch {
      return null; // a page that may keep nothing
    }
  };
  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const named = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  if (remembered()) root.dataset.theme = remembered();
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remembered(root.dataset.theme);
    named();
  });
  system.addEventListener("change", named);
  named();

  // Paper is white, and shows what is folded on the screen.
  let before = null;
  addEventListener("beforeprint", () => {
    const folded = [...document.querySelectorAll("details:not([open])")];
    before = { theme: root.dataset.theme, folded };
    root.dataset.theme = "light";
    folded.forEach((each) => { each.open = true; });
  });
  addEventListener("afterprint", () => {
    if (!before) return;
    if (before.theme) root.dataset.theme = before.theme; else delete root.dataset.theme;
    before.folded.forEach((each) => { each.open = false; });
    before = null;
  });

  // A link to a failure unfolds it.
  const unfold = () => {
    const target = location.hash && $(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", unfold);
  unfold();

  const packed = Uint8Array.from(atob($("data").textContent), (part) => part.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = JSON.parse(await new Response(stream).text());
  const rows = data.rows;

  const number = (value) => value.toLocaleString("en-US");
  const counted = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
  const duration = (seconds) => {
    if (seconds < 10) return `${seconds.toFixed(2)} s`;
    const whole = Math.round(seconds);
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    if (hours) return `${hours} h ${minutes} min`;
    return minutes ? `${minutes} min ${rest} s` : `${rest} s`;
  };
  const size = (bytes) => {
    if (bytes === null) return "";
    if (bytes < 1000) return `${bytes} B`;
    let [value, unit] = [bytes, "B"];
    for (const larger of ["kB", "MB", "GB", "TB"]) {
      if (value < 999.5) break;
      [value, unit] = [value / 1000, larger];
    }
    return `${Number(value.toPrecision(3))} ${unit}`;
  };
  const two = (value) => String(value).padStart(2, "0");

  // The timeline: bars in lanes, lanes below their process.
  const FIELDS = 7, LANE = 12, BAR = 9;
  const lanes = $("lanes");
  let session = null, bars = [], chosen = -1, zoom = 1, inner = null, axis = null;

  const tick = (span, most) => {
    const units = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
    const small = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
    return [...small, ...units].find((unit) => span / unit <= most) ?? Math.ceil(span / most / 86400) * 86400;
  };
  const marks = () => {
    const span = Math.max(session.seconds, 0.001);
    const unit = tick(span, Math.max(2, (lanes.clientWidth * zoom) / 110));
    axis.replaceChildren();
    for (let at = 0; at <= span * 0.96 || at === 0; at += unit) {
      const text = unit < 1 ? `${at.toFixed(3).replace(/0+$/, "").replace(/\.$/, "")} s` : at < 60 ? `${at} s`
        : at < 3600 ? `${Math.floor(at / 60)}:${two(at % 60)} min`
        : `${Math.floor(at / 3600)}:${two(Math.floor(at / 60) % 60)} h`;
      axis.append(make("span", { style: `left:${(100 * at) / span}%` }, text));
    }
  };
  const drawSession = (index) => {
    session = data.sessions[index];
    bars = [];
    chosen = -1;
    inner = make("div", { class: "inner" });
    axis = make("div", { class: "axis", "aria-hidden": "true" });
    inner.append(axis);
    const span = Math.max(session.seconds * 1e4, 1);
    const pictures = [];
    for (const process of session.processes) {
      const text = `${process.label}: ${counted(process.calls, "call")}, ${duration(process.seconds)}`;
      inner.append(make("div", {}, make("span", { class: "label", title: process.versions }, text)));
      const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const height = Math.max(process.lanes, 1) * LANE;
      picture.setAttribute("viewBox", `0 0 100000 ${height}`);
      picture.setAttribute("preserveAspectRatio", "none");
      picture.setAttribute("height", height);
      picture.setAttribute("aria-hidden", "true");
      inner.append(picture);
      for (let lane = 0; lane < process.lanes; lane += 1) pictures.push([picture, lane]);
    }
    const flat = session.bars;
    for (let at = 0; at < flat.length; at += FIELDS) {
      const [lane, start, length, task, ref, count, seconds] = flat.slice(at, at + FIELDS);
      const [picture, row] = pictures[lane];
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      rect.setAttribute("x", (start / span) * 100000);
      rect.setAttribute("y", row * LANE + (count < 0 ? 0 : 1));
      rect.setAttribute("width", Math.max((length / span) * 100000, 30));
      rect.setAttribute("height", count < 0 ? LANE : BAR);
      rect.setAttribute("class", count < 0 ? "cf" : `c${data.colours[task] ?? 8}`);
      rect.dataset.bar = bars.length;
      picture.append(rect);
      bars.push({ lane, start, length, task, ref, count: Math.abs(count), failed: count < 0, seconds, rect });
    }
    // What failed is on top.
    for (const { failed, rect } of bars) if (failed) rect.parentNode.append(rect);
    if (session.left) {
      inner.append(make("p", { class: "soft" }, `${number(session.left)} more calls are not drawn.`));
    }
    lanes.replaceChildren(inner);
    setZoom(0);
    $("call").textContent = "Choose a bar to see its call.";
  };
  const setZoom = (factor) => {
    const middle = (lanes.scrollLeft + lanes.clientWidth / 2) / (lanes.clientWidth * zoom || 1);
    zoom = factor ? Math.min(Math.max(zoom * factor, 1), 256) : 1;
    inner.style.width = `${100 * zoom}%`;
    const at = chosen < 0 ? middle
      : (bars[chosen].start + bars[chosen].length / 2) / Math.max(session.seconds * 1e4, 1);
    lanes.scrollLeft = at * lanes.clientWidth * zoom - lanes.clientWidth / 2;
    marks();
  };
  const choose = (index, scroll) => {
    if (!(index in bars)) return;
    if (chosen >= 0) bars[chosen].rect.classList.remove("chosen");
    chosen = index;
    const bar = bars[index];
    bar.rect.classList.add("chosen");
    if (scroll) bar.rect.scrollIntoView({ block: "nearest", inline: "nearest" });
    const out = $("call");
    const began = `${duration(bar.start / 1e4)} after the beginning`;
    out.replaceChildren(make("strong", {}, data.tasks[bar.task] ?? "Several tasks:"), " ");
    if (bar.failed) {
      out.append(`${bar.count > 1 ? `${number(bar.count)} calls ` : ""}failed ${began}. `);
      if (bar.ref >= 0) out.append(make("a", { href: `#failure-${bar.ref}` }, "To the failure"));
    } else if (bar.count > 1) {
      out.append(`${number(bar.count)} calls one after the other, ${duration(bar.seconds)} together, ${began}`);
    } else {
      out.append(`${duration(bar.seconds)}, ${began}`);
      if (bar.ref >= 0) {
        out.append(make("br"), make("code", {}, rows.location[bar.ref]), ` ${size(rows.size[bar.ref])} `,
          make("br"), rows.arguments[bar.ref]);
      }
    }
  };
  const beside = (step) => {
    const { lane, start } = bars[chosen];
    for (let next = lane + step; next >= 0 && next < 1000; next += step) {
      const found = bars.map((bar, index) => [Math.abs(bar.start - start), index])
        .filter(([, index]) => bars[index].lane === next).sort((one, other) => one[0] - other[0]);
      if (found.length) return found[0][1];
    }
    return chosen;
  };
  if (lanes) {
    $("session").addEventListener("change", (event) => drawSession(Number(event.target.value)));
    document.querySelectorAll("[data-zoom]").forEach((button) => {
      button.addEventListener("click", () => setZoom(Number(button.dataset.zoom)));
    });
    lanes.addEventListener("click", (event) => {
      if (event.target.dataset.bar) choose(Number(event.target.dataset.bar));
    });
    lanes.addEventListener("mouseover", (event) => {
      if (event.target.dataset.bar) choose(Number(event.target.dataset.bar));
    });
    lanes.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const steps = {
        ArrowRight: () => choose(chosen + 1, true),
        ArrowLeft: () => choose(Math.max(chosen - 1, 0), true),
        ArrowDown: () => choose(chosen < 0 ? 0 : beside(1), true),
        ArrowUp: () => choose(chosen < 0 ? 0 : beside(-1), true),
        Home: () => choose(0, true),
        End: () => choose(bars.length - 1, true),
        Enter: () => $("call").querySelector("a")?.click(),
        "+": () => setZoom(2),
        "=": () => setZoom(2),
        "-": () => setZoom(0.5),
        0: () => setZoom(0),
      };
      if (steps[event.key]) {
        event.preventDefault();
        steps[event.key]();
      }
    });
    addEventListener("resize", marks);
    drawSession(0);
  }

  // The list of outputs: searched, sorted, page by page.
  const PAGE = 20;
  const list = $("list");
  if (list) {
    const body = list.tBodies[0];
    const heads = [...list.querySelectorAll("th")];
    let sort = null, down = false, first = 0, found = [];
    const texts = rows.location.map((text, index) => `${text} ${rows.arguments[index]}`.toLowerCase());
    const compare = (one, other) => (one === other ? 0 : one === null ? -1 : other === null ? 1 : one < other ? -1 : 1);
    const value = (key, row) => {
      if (key === "task") return data.tasks[rows.task[row]];
      return rows[key][row];
    };
    const show = () => {
      const shown = found.slice(first, first + PAGE);
      body.replaceChildren(...shown.map((row) => {
        const status = data.statuses[rows.status[row]];
        const place = make("td", {}, make("code", {}, rows.location[row]));
        for (const text of [rows.arguments[row], ...(rows.causes[row] ?? [])]) {
          if (text) place.append(make("small", { class: "soft" }, text));
        }
        return make("tr", {}, place,
          make("td", {}, data.tasks[rows.task[row]]),
          make("td", { class: status === "finished" || status === "temporary" ? "" : "warn" }, status),
          make("td", { class: "n" }, size(rows.size[row])),
          make("td", { class: "n" }, duration(rows.seconds[row])),
          make("td", { class: "n" }, rows.made[row]));
      }));
      $("which").textContent = found.length
        ? `${number(first + 1)} to ${number(first + shown.length)} of ${number(found.length)}` : "None";
      $("before").disabled = first === 0;
      $("next").disabled = first + PAGE >= found.length;
    };
    const search = () => {
      const text = $("search").value.trim().toLowerCase();
      const task = $("of-task").value, status = $("of-status").value;
      found = [];
      for (let row = 0; row < texts.length; row += 1) {
        if (text && !texts[row].includes(text)) continue;
        if (task && data.tasks[rows.task[row]] !== task) continue;
        if (status && data.statuses[rows.status[row]] !== status) continue;
        found.push(row);
      }
      if (sort) {
        found.sort((one, other) => compare(value(sort, one), value(sort, other)) * (down ? -1 : 1));
      }
      first = 0;
      show();
    };
    heads.forEach((head) => head.firstChild.addEventListener("click", (event) => {
      const key = event.target.dataset.sort;
      const isNumber = ["size", "seconds", "made"].includes(key);
      down = sort === key ? !down : isNumber;
      sort = key;
      heads.forEach((each) => each.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      search();
    }));
    for (const id of ["search", "of-task", "of-status"]) $(id).addEventListener("input", search);
    $("before").addEventListener("click", () => { first = Math.max(first - PAGE, 0); show(); });
    $("next").addEventListener("click", () => { first += PAGE; show(); });
    search();
  }
  root.dataset.ready = "true";
})();

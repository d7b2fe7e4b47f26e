"use strict";
(() => {
  const text = document.getElementById("filter");
  const gaps = document.getElementById("gaps");
  const count = document.getElementById("count");
  const rows = [...document.querySelectorAll("[data-operation]")];

  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const name = row.dataset.operation.toLowerCase();
      const fits = words.every((word) => name.includes(word));
      row.hidden = !fits || (gaps.checked && row.dataset.gaps === "0");
      if (!row.hidden && row.closest(".matrix")) shown += 1;
    }
    count.textContent = `${shown} shown`;
  };
  text.addEventListener("input", apply);
  gaps.addEventListener("change", apply);

  const move = (cell, across, down) => {
    const row = cell.closest("tr");
    if (across) {
      const cells = [...row.querySelectorAll("a.cell")];
      return cells[cells.indexOf(cell) + across];
    }
    const column = cell.closest("td").cellIndex;
    const all = [...row.parentElement.rows].filter((one) => !one.hidden);
    for (let at = all.indexOf(row) + down; all[at]; at += down) {
      const found = all[at].cells[column].querySelector("a.cell");
      if (found) return found;
    }
    return undefined;
  };
  const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== text) {
      event.preventDefault();
      text.focus();
    }
    if (event.key === "Escape" && document.activeElement === text) {
      text.value = "";
      apply();
    }
    const cell = document.activeElement.closest?.(".matrix a.cell");
    if (cell && keys[event.key]) {
      const next = move(cell, ...keys[event.key]);
      if (next) {
        event.preventDefault();
        next.focus();
      }
    }
  });
  apply();
})();

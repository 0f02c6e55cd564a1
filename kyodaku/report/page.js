"use strict";
// Works without this script too: the language switch is CSS, the table is in order. This adds the reader's
// own language on opening (or #en / #ja in the address), the page's lang attribute, and sorting.
(() => {
  const choose = (language) => {
    const input = document.getElementById("lang-" + language);
    if (!input) return;
    input.checked = true;
    document.documentElement.lang = language;
  };
  for (const input of document.querySelectorAll("input[name=lang]")) {
    input.addEventListener("change", () => choose(input.value));
  }
  const wanted = location.hash.slice(1);
  choose(wanted === "en" || wanted === "ja" ? wanted : navigator.language.startsWith("ja") ? "ja" : "en");

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const numeric = head.classList.contains("number");
        const falling = head.getAttribute("aria-sort") === "descending" || (!head.hasAttribute("aria-sort") && !numeric);
        const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
        const rows = [...table.tBodies[0].rows].sort((a, b) =>
          numeric ? Number(key(a)) - Number(key(b)) : key(a).localeCompare(key(b)));
        if (!falling) rows.reverse();
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", falling ? "ascending" : "descending");
        table.tBodies[0].append(...rows);
      });
    });
  }
})();

// A page of the server's that is meant for paper (a report, a notice): shown over the console, printed by a button. It is
// read with the token of who looks, so no address has to carry one. Its text alone is taken: no script, no style.
import { fill, h } from "./dom";
import { t } from "./i18n";
import type { Api } from "./panel";

const TAKEN = new Set(["H1", "H2", "P", "TABLE", "THEAD", "TBODY", "TFOOT", "TR", "TH", "TD", "DIV", "SPAN"]);

function copy(from: Element): HTMLElement {
  const tag = TAKEN.has(from.tagName) ? from.tagName.toLowerCase() : "div";
  const element = document.createElement(tag);
  if (from.className) element.className = from.className;
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) element.append(child.textContent ?? "");
    else if (child instanceof Element && !["SCRIPT", "STYLE"].includes(child.tagName)) element.append(copy(child));
  }
  return element;
}

export async function showPaper(api: Api, path: string): Promise<void> {
  const text = await api.text(path, "text/html");
  const page = new DOMParser().parseFromString(text.replace(/<style[^>]*>[^]*?<\/style>/gi, ""), "text/html");
  const sheet = h("div", { class: "paper-sheet", tabindex: "0", lang: page.documentElement.lang || undefined },
    [...page.body.children].map(copy));
  const print = (): void => {
    const paper = document.getElementById("print") ?? document.body.appendChild(h("div", { id: "print" }));
    fill(paper, sheet.cloneNode(true));
    window.print();
  };
  const close = (): void => {
    dialog.close();
    dialog.remove();
  };
  const dialog = h("dialog", { class: "paper", "aria-label": page.title, oncancel: () => setTimeout(() => dialog.remove()) },
    h("div", { class: "paper-bar" },
      h("button", { type: "button", class: "main", "data-do": "print", onclick: print }, t("paper.print")),
      h("button", { type: "button", "data-do": "close-paper", onclick: close }, t("close"))),
    sheet);
  document.body.append(dialog);
  dialog.showModal();
}
